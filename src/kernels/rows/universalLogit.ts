import { exponentials } from './exp.js';
import { addSoftmaxAdjoint } from './softmax.js';

/**
 * ½ Σ |q − p| of p = softmax(y) and q = softmax(x), each in descending order, the shorter one with
 * zeros behind it; writes the derivative by x to `derivative`, as long as x. That by a probability
 * that is equal on both sides is taken as 0; equal entries of x have the mean of what they would
 * have in turn. Sorts y.
 */
export function sortedVariation(
  columns: number,
): (x: Float64Array, y: Float64Array, derivative: Float64Array) => number {
  const sorted = new Float64Array(columns);
  const q = new Float64Array(columns);
  const slope = new Float64Array(columns);
  const bySorted = new Float64Array(columns);
  return (x, y, derivative) => {
    sorted.set(x);
    toDistribution(sorted.sort(), q);
    const p = toDistribution(y.sort(), y);
    // Both are in ascending order: what they are paired by is the distance from their ends.
    const ahead = y.length - columns;
    let sum = 0;
    for (let j = 0; j < ahead; j++) sum += p[j]! / 2;
    for (let j = 0; j < columns; j++) {
      const u = q[j]! - (p[j + ahead] ?? 0);
      sum += Math.abs(u) / 2;
      slope[j] = (Math.sign(u) / 2) * q[j]!;
    }
    bySorted.fill(0);
    addSoftmaxAdjoint(q, slope, 1, bySorted);
    shareAmongEqual(sorted, bySorted);
    for (let j = 0; j < columns; j++) derivative[j] = bySorted[placeOf(x[j]!, sorted)]!;
    return sum;
  };
}

/**
 * The softmax of values in ascending order; NaN where one of them is, +Infinity is, or all are
 * −Infinity.
 */
function toDistribution(values: Float64Array, result: Float64Array): Float64Array {
  const sum = exponentials(values, 0, values[values.length - 1]!, result);
  for (let j = 0; j < result.length; j++) result[j]! /= sum;
  return result;
}

/** Gives each of the entries whose values are equal the mean of theirs. */
function shareAmongEqual(values: Float64Array, entries: Float64Array): void {
  let start = 0;
  for (let end = 1; end <= values.length; end++) {
    if (values[end] === values[start]) continue;
    let sum = 0;
    for (let j = start; j < end; j++) sum += entries[j]!;
    entries.fill(sum / (end - start), start, end);
    start = end;
  }
}

/** Where in ascending order the first of these values stands. */
function placeOf(value: number, ascending: Float64Array): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
