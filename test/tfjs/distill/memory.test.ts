import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { type DistillOptions, distill } from '../../../src/tfjs/index.js';
import { onAsynchronousBackend, onEachBackend, values } from '../backends.js';
import {
  CLASSES,
  INPUTS,
  LABELS,
  makeData,
  makeHybrid,
  makeResponse,
  makeStudent,
  makeTeacher,
  SAMPLES,
} from './models.js';

type Options = DistillOptions<tf.Tensor, tf.Variable, tf.Tensor>;

/** The tensors before a training, all of which the caller disposes. */
function begin() {
  const data = makeData();
  return {
    teacher: makeTeacher(),
    student: makeStudent([tf.layers.batchNormalization(), tf.layers.dropout({ rate: 0.3 })]),
    strategy: makeHybrid(),
    optimizer: tf.train.sgd(0.01),
    data,
    labels: tf.tensor1d([...LABELS], 'int32'),
    mask: { hidden: tf.ones([SAMPLES]) },
    epochs: 2,
    batchSize: 16,
    validation: { data },
  };
}

/** Options that make the training fail, by the message of the error. */
const failures: [string, (options: Options, count: () => number) => Partial<Options>][] = [
  ['in a callback', () => ({ callbacks: { onBatchEnd: () => fail('in a callback') } })],
  [
    'in the next epoch',
    () => ({ callbacks: { onEpochBegin: (epoch) => epoch && fail('in the next epoch') } }),
  ],
  [
    'in the teacher',
    () => ({ teacher: (x) => [tf.square(x)].map(() => fail('in the teacher'))[0]! }),
  ],
  [
    'in an async teacher',
    () => ({
      teacher: async () => {
        await Promise.resolve();
        return fail('in an async teacher');
      },
    }),
  ],
  ['in the optimizer', () => ({ optimizer: { applyGradients: () => fail('in the optimizer') } })],
  [
    'in a layer',
    () => ({
      layers: {
        student: { hidden: (layer) => [tf.square(layer)].map(() => fail('in a layer'))[0]! },
      },
    }),
  ],
  [
    'student row 0, column 0 is NaN',
    (_, count) => ({
      layers: {
        student: { output: (logits) => (count() < 3 ? logits : tf.mul(logits, Number.NaN)) },
      },
    }),
  ],
  [
    'teacher row 0, column 0 is NaN',
    (_, count) => ({
      layers: {
        teacher: { output: (logits) => (count() < 3 ? logits : tf.mul(logits, Number.NaN)) },
      },
    }),
  ],
  [
    'teacher has shape [8, 3], expected [8, 4]',
    () => ({
      validation: { data: values([8, INPUTS], 2), teacher: tf.ones([8, 3]) },
      strategy: makeResponse(),
      mask: undefined,
    }),
  ],
];

function fail(message: string): never {
  throw new Error(message);
}

const tests = () => {
  test.each(failures)('no tensor is left after an error: %s', async (message, change) => {
    const options = begin();
    let calls = 0;
    const count = () => {
      calls++;
      return calls;
    };
    const changed = { ...options, ...change(options, count) };
    const before = tf.memory().numTensors;
    await expect(distill(tf, changed)).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
    tf.disposeVariables();
  });

  test('no tensor is left after an abort', async () => {
    const options = begin();
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    const callbacks = { onBatchEnd: () => controller.abort() };
    const call = distill(tf, { ...options, callbacks, signal: controller.signal });
    await expect(call).rejects.toThrow();
    expect(tf.memory().numTensors).toBe(before);
    tf.disposeVariables();
  });

  test('functions need no tidy, and keep the tensors that they own', async () => {
    const options = begin();
    const own = tf.ones([16, CLASSES]);
    const hidden = tf.ones([16, 7]);
    const weights = tf.tidy(() => tf.variable(values([INPUTS, 5], 3)));
    const head = tf.tidy(() => tf.variable(values([5, CLASSES], 4)));
    const data = values([16, INPUTS], 1);
    const before = tf.memory().numTensors;
    await distill(tf, {
      ...options,
      data,
      teacher: (x) => {
        tf.square(x);
        return { output: own, hidden };
      },
      student: (x) => {
        const layer = tf.tanh(tf.matMul(x, weights));
        return { output: tf.matMul(layer, head), hidden: layer };
      },
      variables: [weights, head],
      labels: undefined,
      mask: undefined,
      validation: undefined,
    });
    expect(own.isDisposed).toBe(false);
    expect(tf.memory().numTensors).toBe(before);
    tf.disposeVariables();
  });
};

onEachBackend(() => {
  tests();

  test('no tensor is left after 1,000 steps', async () => {
    const options = begin();
    const few = values([4, INPUTS], 2);
    const seen = new Set<number>();
    const before = tf.memory().numTensors;
    await distill(tf, {
      ...options,
      batchSize: 2,
      epochs: 50,
      validation: { data: few },
      callbacks: { onBatchEnd: () => seen.add(tf.memory().numTensors) },
    });
    // The strategy's variable exists as long as the training.
    expect([...seen]).toEqual([before + 1]);
    expect(tf.memory().numTensors).toBe(before);
    tf.disposeVariables();
  }, 60_000);

  test('stored outputs are gathered batch by batch', async () => {
    const options = begin();
    const stored = { output: tf.ones([SAMPLES, CLASSES]), hidden: tf.ones([SAMPLES, 7]) };
    const { numBytes } = tf.memory();
    let most = 0;
    await distill(tf, {
      ...options,
      teacher: stored,
      validation: undefined,
      batchSize: 1,
      callbacks: {
        onBatchEnd: () => {
          most = Math.max(most, tf.memory().numBytes - numBytes);
        },
      },
    });
    const ofProjection = 4 * 5 * 7;
    expect(most).toBe(ofProjection);
    tf.disposeVariables();
  });
});

onAsynchronousBackend(tests);

test('a strategy keeps its learned parameters after an error', async () => {
  await tf.setBackend('cpu');
  const projected = async (callbacks: Options['callbacks'], signal?: AbortSignal) => {
    const options = begin();
    await expect(distill(tf, { ...options, callbacks, signal })).rejects.toThrow();
    tf.disposeVariables();
    return [...options.strategy.parameters()[0]!.value.data];
  };
  const controller = new AbortController();
  const aborted = await projected({ onBatchEnd: () => controller.abort() }, controller.signal);
  expect(await projected({ onBatchEnd: () => fail('at once') })).toEqual(aborted);
  expect(await projected({ onBatchBegin: () => fail('sooner') })).not.toEqual(aborted);
});
