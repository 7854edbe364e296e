import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import {
  type DistillHistory,
  type DistillOptions,
  type DistillState,
  distill,
} from '../../../src/tfjs/index.js';
import { onEachBackend } from '../backends.js';
import {
  LABELS,
  makeData,
  makeHybrid,
  makeProjection,
  makeResponse,
  makeStudent,
  makeTeacher,
  weightsOf,
} from './models.js';

type Options = DistillOptions<tf.Tensor, tf.Variable, tf.Tensor>;

const [EPOCHS, BATCHES] = [3, 3]; // 40 samples in batches of 16

/** The state of a training, and the options that two calls share. */
function begin(optimizer: tf.Optimizer = tf.train.adam(0.05)) {
  const [data, projection] = [makeData(), makeProjection()];
  const student = makeStudent([tf.layers.batchNormalization(), tf.layers.dropout({ rate: 0.3 })]);
  const options = {
    teacher: makeTeacher(),
    student,
    strategy: makeHybrid(projection),
    optimizer,
    data,
    labels: LABELS,
    epochs: EPOCHS,
    batchSize: 16,
    seed: 7,
    validation: { data, labels: LABELS },
  };
  const learned = async () => [
    ...(await weightsOf(student)),
    [...projection.parameters()[0]!.value.data],
  ];
  return { options, student, projection, learned };
}

/** Trains until the signal is aborted after a number of batches, and returns the state. */
async function abortAfter(batches: number, options: Options): Promise<DistillState> {
  const controller = new AbortController();
  const reason = new Error('enough');
  const states: DistillState[] = [];
  let done = 0;
  const callbacks = {
    onBatchEnd: () => {
      done++;
      if (done === batches) controller.abort(reason);
    },
    onAbort: (state: DistillState) => states.push(state),
  };
  const training = distill(tf, { ...options, callbacks, signal: controller.signal });
  await expect(training).rejects.toBe(reason);
  expect(done).toBe(batches);
  expect(states).toHaveLength(1);
  return JSON.parse(JSON.stringify(states[0]));
}

onEachBackend(() => {
  test('resumes after any batch with the same bits', async () => {
    const whole = begin();
    const history = await distill(tf, whole.options);
    const expected = await whole.learned();
    // After the last batch of an epoch, its validation is still to come.
    for (const batches of [1, 2, 3, 5, 7, 8]) {
      const parts = begin();
      const state = await abortAfter(batches, parts.options);
      expect([state.epoch, state.batch]).toEqual(
        batches % BATCHES === 0
          ? [batches / BATCHES - 1, BATCHES]
          : [Math.floor(batches / BATCHES), batches % BATCHES],
      );
      expect(await distill(tf, { ...parts.options, resume: state })).toEqual(history);
      expect(await parts.learned()).toEqual(expected);
    }
    tf.disposeVariables();
  });

  test('resumes several times', async () => {
    const whole = begin();
    const history = await distill(tf, whole.options);
    const parts = begin();
    let resume: DistillState | undefined;
    for (let i = 0; i < 4; i++) resume = await abortAfter(2, { ...parts.options, resume });
    expect(await distill(tf, { ...parts.options, resume })).toEqual(history);
    expect(await parts.learned()).toEqual(await whole.learned());
    tf.disposeVariables();
  });

  test('resumes after an epoch with the same optimizer', async () => {
    const whole = begin();
    const history = await distill(tf, whole.options);
    const parts = begin();
    await distill(tf, { ...parts.options, epochs: 2 });
    const rest = await distill(tf, { ...parts.options, initialEpoch: 2 });
    expect(await parts.learned()).toEqual(await whole.learned());
    expect(rest).toEqual(lastOf(history));
    tf.disposeVariables();
  });

  test('resumes from a saved epoch with another student and another optimizer', async () => {
    const whole = begin(tf.train.momentum(0.05, 0.9));
    const history = await distill(tf, whole.options);
    const saved = begin(tf.train.momentum(0.05, 0.9));
    await distill(tf, { ...saved.options, epochs: 2 });
    const parts = begin(tf.train.momentum(0.05, 0.9));
    parts.student.setWeights(saved.student.getWeights());
    const [from, to] = [saved.projection.parameters(), parts.projection.parameters()];
    to[0]!.value.data.set(from[0]!.value.data);
    const slots = await saved.options.optimizer.getWeights();
    await parts.options.optimizer.setWeights(
      slots.map(({ name, tensor }) => ({ name, tensor: tf.clone(tensor) })),
    );
    const rest = await distill(tf, { ...parts.options, initialEpoch: 2 });
    expect(rest).toEqual(lastOf(history));
    expect(await parts.learned()).toEqual(await whole.learned());
    tf.disposeVariables();
  });

  test('the order and random draws depend on the seed and the epoch', async () => {
    const train = async (options: Partial<Options>) => {
      const run = begin();
      await distill(tf, { ...run.options, ...options });
      return run.learned();
    };
    const expected = await train({});
    expect(await train({})).toEqual(expected);
    expect(await train({ seed: 8 })).not.toEqual(expected);
    expect(await train({ shuffle: false })).not.toEqual(expected);
    tf.disposeVariables();
  });
});

function lastOf({ epoch, history }: DistillHistory): DistillHistory {
  const entries = Object.entries(history).map(([name, numbers]) => [name, numbers.slice(-1)]);
  return { epoch: epoch.slice(-1), history: Object.fromEntries(entries) };
}

test('each epoch of each seed has every sample once, in its own order', async () => {
  await tf.setBackend('cpu');
  const data = tf.reshape(tf.range(0, 40), [40, 1]);
  const weight = tf.variable(tf.ones([1, 2]));
  const epochs: number[][] = [];
  for (const seed of [0, 1, 2]) {
    await distill(tf, {
      teacher: tf.zeros([40, 2]),
      student: (x) => {
        epochs.at(-1)!.push(...x.dataSync());
        return tf.matMul(x, weight);
      },
      variables: [weight],
      strategy: makeResponse(),
      optimizer: tf.train.sgd(0),
      data,
      epochs: 3,
      batchSize: 7,
      seed,
      callbacks: { onEpochBegin: () => epochs.push([]) },
    });
  }
  const sorted = Array.from({ length: 40 }, (_, i) => i);
  for (const order of epochs) expect([...order].sort((a, b) => a - b)).toEqual(sorted);
  expect(new Set([sorted, ...epochs].map(String)).size).toBe(10);
  tf.disposeVariables();
});

describe('a signal', () => {
  test('that is already aborted rejects before the training begins', async () => {
    const run = begin();
    const before = await run.learned();
    const calls: string[] = [];
    const callbacks = {
      onTrainBegin: () => calls.push('begin'),
      onAbort: () => calls.push('abort'),
    };
    const reason = new Error('not at all');
    const call = distill(tf, { ...run.options, callbacks, signal: AbortSignal.abort(reason) });
    await expect(call).rejects.toBe(reason);
    expect(calls).toEqual([]);
    expect(await run.learned()).toEqual(before);
    tf.disposeVariables();
  });

  test('without a reason rejects with an AbortError', async () => {
    const run = begin();
    const controller = new AbortController();
    const callbacks = { onBatchEnd: () => controller.abort() };
    const call = distill(tf, { ...run.options, callbacks, signal: controller.signal });
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    tf.disposeVariables();
  });

  test('that a timer aborts interrupts the training', async () => {
    const run = begin();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 0);
    const call = distill(tf, { ...run.options, epochs: 300, signal: controller.signal });
    await expect(call).rejects.toThrow();
    tf.disposeVariables();
  });

  test('that is aborted after the last batch and its validation has no effect', async () => {
    const run = begin();
    const controller = new AbortController();
    const callbacks = {
      onEpochEnd: (epoch: number) => {
        if (epoch === EPOCHS - 1) controller.abort();
      },
    };
    const { epoch } = await distill(tf, { ...run.options, callbacks, signal: controller.signal });
    expect(epoch).toHaveLength(EPOCHS);
    tf.disposeVariables();
  });

  test('lets callbacks save the learned parameters', async () => {
    const run = begin();
    let projected: number[] = [];
    const controller = new AbortController();
    const value = () => [...run.projection.parameters()[0]!.value.data];
    const callbacks = {
      onBatchEnd: () => controller.abort(),
      onAbort: () => {
        projected = value();
      },
    };
    const before = value();
    const call = distill(tf, { ...run.options, callbacks, signal: controller.signal });
    await expect(call).rejects.toThrow();
    expect(projected).toEqual(value());
    expect(projected).not.toEqual(before);
    tf.disposeVariables();
  });
});
