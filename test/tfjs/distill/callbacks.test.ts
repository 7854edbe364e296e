import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { type DistillOptions, distill } from '../../../src/tfjs/index.js';
import { makeData, makeHybrid, makeStudent, makeTeacher, SAMPLES } from './models.js';

type Options = DistillOptions<tf.Tensor, tf.Variable, tf.Tensor>;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function begin() {
  const data = makeData();
  return {
    teacher: makeTeacher(),
    student: makeStudent(),
    strategy: makeHybrid(),
    optimizer: tf.train.sgd(0.1),
    data,
    epochs: 2,
    batchSize: 16,
  };
}

test('callbacks are awaited in the order of model.fit, with its arguments', async () => {
  const calls: unknown[][] = [];
  const note =
    (name: string) =>
    async (...args: unknown[]) => {
      await Promise.resolve();
      calls.push([name, ...args]);
    };
  const data = makeData();
  const { history } = await distill(tf, {
    ...begin(),
    validation: { data },
    callbacks: {
      onTrainBegin: note('train begin'),
      onEpochBegin: note('epoch begin'),
      onBatchBegin: note('batch begin'),
      onBatchEnd: note('batch end'),
      onEpochEnd: note('epoch end'),
      onTrainEnd: note('train end'),
      onAbort: note('abort'),
    },
  });
  const epochOf = (epoch: number) => [
    `epoch begin ${epoch}`,
    ...[0, 1, 2].flatMap((batch) => [`batch begin ${batch}`, `batch end ${batch}`]),
    `epoch end ${epoch}`,
  ];
  const order = calls.map(([name, number]) =>
    [name, number].filter((x) => x !== undefined).join(' '),
  );
  expect(order).toEqual(['train begin', ...epochOf(0), ...epochOf(1), 'train end']);
  const argumentsOf = (name: string) =>
    calls.filter((call) => call[0] === name).map((call) => call[2]);
  expect(argumentsOf('batch begin').slice(0, 3)).toEqual([
    { batch: 0, size: 16 },
    { batch: 1, size: 16 },
    { batch: 2, size: 8 },
  ]);
  const batches = argumentsOf('batch end') as Record<string, number>[];
  expect(Object.keys(batches[0]!)).toEqual([
    'batch',
    'size',
    'loss',
    'response_loss',
    'feature_loss',
  ]);
  const epochs = argumentsOf('epoch end') as Record<string, number>[];
  expect(Object.keys(epochs[0]!)).toEqual([
    'loss',
    'response_loss',
    'feature_loss',
    'val_loss',
    'val_response_loss',
    'val_feature_loss',
    'val_agreement',
  ]);
  for (const [epoch, logs] of epochs.entries()) {
    const ofEpoch = batches.slice(3 * epoch, 3 * epoch + 3);
    for (const name of ['loss', 'response_loss', 'feature_loss']) {
      const sum = ofEpoch.reduce((total, batch) => total + batch.size! * batch[name]!, 0);
      expect(logs[name]).toBeCloseTo(sum / SAMPLES, 12);
      expect(history[name]![epoch]).toBe(logs[name]);
    }
    expect(logs.loss).toBeCloseTo(0.6 * logs.response_loss! + 0.4 * logs.feature_loss!, 6);
  }
});

test('callbacks of TensorFlow.js stop a training, as does any code that has the model', async () => {
  const { epoch } = await distill(tf, {
    ...begin(),
    optimizer: tf.train.sgd(0),
    epochs: 50,
    validation: { data: makeData() },
    callbacks: tf.callbacks.earlyStopping({ monitor: 'val_loss', patience: 2 }),
  });
  expect(epoch).toEqual([0, 1, 2]);

  const options = begin();
  const batches: number[] = [];
  const { history } = await distill(tf, {
    ...options,
    callbacks: [
      { onBatchEnd: (batch) => batches.push(batch) },
      {
        onBatchEnd: (batch) => {
          options.student.stopTraining = batch === 1;
        },
      },
    ],
  });
  expect(batches).toEqual([0, 1]);
  expect(history.loss).toHaveLength(1);
  // The flag of an earlier training is ignored.
  expect((await distill(tf, options)).epoch).toEqual([0, 1]);
});

test('a callback may change a strategy and an optimizer during the training', async () => {
  const options = begin();
  const rates: number[] = [];
  const optimizer = tf.train.momentum(0.1, 0.9) as tf.MomentumOptimizer & { learningRate: number };
  const callbacks: Options['callbacks'] = {
    onEpochBegin: (epoch) => {
      options.strategy.temperature = 4 - epoch;
      rates.push(options.strategy.temperature);
    },
  };
  await distill(tf, { ...options, optimizer, callbacks });
  expect(rates).toEqual([4, 3]);
});
