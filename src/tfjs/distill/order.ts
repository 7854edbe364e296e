import { checkIndex, refuse, throwType } from '../../core/errors.js';
import { Generator, shuffle, uniform } from '../../core/random.js';

/**
 * Returns the indices of the samples in each batch of an epoch. To resume a training, it must
 * return the same batches for the same epoch.
 */
export type Batches = (epoch: number) => Iterable<ArrayLike<number>>;

/**
 * Derives a seed for a place, such as an epoch. The random numbers there then do not depend on the
 * numbers that were drawn before.
 */
function seedOf(seed: number, places: readonly number[]): number {
  return [seed, ...places].reduce(
    (mixed, number) => Math.floor(2 ** 32 * new Generator(mixed + number).next()),
    0,
  );
}

/** Makes batches of all samples: in another random order for each epoch, or in stored order. */
export function batchesOf(
  samples: number,
  size: number,
  shuffleSeed?: number,
): (epoch: number) => Iterable<Int32Array> {
  return function* (epoch) {
    const order = Int32Array.from({ length: samples }, (_, i) => i);
    if (shuffleSeed !== undefined) shuffle(order, uniform(seedOf(shuffleSeed, [epoch])));
    for (let start = 0; start < samples; start += size) yield order.subarray(start, start + size);
  };
}

/** Throws unless a batch from a user's function holds indices of samples. */
export function checkBatch(
  operation: string,
  batch: ArrayLike<number>,
  samples: number,
): Int32Array {
  if (typeof batch !== 'object' || typeof batch?.length !== 'number') {
    throwType(operation, 'batches', 'give an array of samples for each batch', batch);
  }
  if (batch.length === 0) refuse('EMPTY', operation, 'batches', 'hold samples', 'an empty batch');
  for (let i = 0; i < batch.length; i++) checkIndex(operation, 'batches', batch[i], samples);
  return Int32Array.from(batch);
}

/**
 * Runs a function whose random numbers depend on the seed and the place only. A dropout or a noise
 * of TensorFlow.js without a seed takes one from `Math.random`, which is replaced until `compute`
 * returns. No other code runs meanwhile, because `compute` is synchronous.
 */
export function withSeed<R>(seed: number, places: readonly number[], compute: () => R): R {
  const { random } = Math;
  Math.random = uniform(seedOf(seed, places));
  try {
    return compute();
  } finally {
    Math.random = random;
  }
}
