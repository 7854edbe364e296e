import type { Random } from './random.js';

/** Returns the rows `indices` of a row-major array. */
export function gatherRows(
  values: Float32Array,
  rowLength: number,
  indices: Int32Array,
): Float32Array {
  const gathered = new Float32Array(indices.length * rowLength);
  indices.forEach((index, row) => {
    gathered.set(values.subarray(index * rowLength, (index + 1) * rowLength), row * rowLength);
  });
  return gathered;
}

/**
 * Yields batches of `pool`, which is shuffled for every pass; an incomplete last batch is dropped.
 */
export function* batchesOf(
  pool: Int32Array,
  size: number,
  random: Random,
): Generator<Int32Array, never> {
  for (;;) {
    const order = random.shuffle(pool.slice());
    for (let start = 0; start + size <= order.length; start += size) {
      yield order.subarray(start, start + size);
    }
  }
}
