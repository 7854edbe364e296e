import { exponentials } from './exp.js';
import { addSoftmaxAdjoint } from './softmax.js';

/**
 * Returns a function that computes ½ Σ |q − p| for p = softmax(y) and q = softmax(x), each in
 * descending order; the shorter one is padded with zeros.
 *
 * The function writes the derivative with respect to x to `derivative`. The derivative with respect
 * to a probability that is equal on both sides is 0. Equal elements of x share the mean of their
 * derivatives. The function sorts y.
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
    // Both arrays are in ascending order, and their ends are aligned.
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
 * Writes the softmax of values in ascending order. All elements are NaN if a value is NaN or
 * +Infinity, or if all values are −Infinity.
 */
function toDistribution(values: Float64Array, result: Float64Array): Float64Array {
  const sum = exponentials(values, 0, values[values.length - 1]!, result);
  for (let j = 0; j < result.length; j++) result[j]! /= sum;
  return result;
}

/** Replaces the derivatives of equal values by their mean. */
function shareAmongEqual(values: Float64Array, derivatives: Float64Array): void {
  let start = 0;
  for (let end = 1; end <= values.length; end++) {
    if (values[end] === values[start]) continue;
    let sum = 0;
    for (let j = start; j < end; j++) sum += derivatives[j]!;
    derivatives.fill(sum / (end - start), start, end);
    start = end;
  }
}

/** Returns the first index of a value in an ascending array, by binary search. */
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
