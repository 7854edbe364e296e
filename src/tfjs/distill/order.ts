import { checkIndex, refuse, throwType } from '../../core/errors.js';
import { Generator, shuffle, uniform } from '../../core/random.js';

/**
 * The samples of the batches of an epoch, by their positions. To go on, it has to give the same for
 * the same epoch.
 */
export type Batches = (epoch: number) => Iterable<ArrayLike<number>>;

/**
 * A seed of its own for each place, such as an epoch: what is drawn there does not depend on what
 * was drawn before.
 */
function seedOf(seed: number, places: readonly number[]): number {
  return [seed, ...places].reduce(
    (mixed, number) => Math.floor(2 ** 32 * new Generator(mixed + number).next()),
    0,
  );
}

/** Batches of all samples, in an order of its own in each epoch, or as they come. */
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

/** Throws unless a batch that a user's function made holds samples. */
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
 * Runs a function in which TensorFlow.js draws by the seed and the place alone. A dropout or a
 * noise without a seed of its own takes one from `Math.random`. That is another function until
 * `compute` returns; no other code runs meanwhile.
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
