// How rows go together, on one side and on the other.

import type { Grid } from '../products/grid.js';
import { norm } from '../rows/distance.js';
import { addGramAdjoint, gram } from './gram.js';

/** Products of rows become, in place, what they are in another space; their slopes there are written where `slope` is given. */
export type ProductKernel = (products: Float64Array, slope?: Float64Array) => void;

/** x · y itself. */
export const bilinearKernel: ProductKernel = (_, slope) => {
  slope?.fill(1);
};

/** exp(−γ ‖x − y‖²) of x and y of unit length: exp(−2γ) exp(2γ x · y), the second up to a power of its product. */
export function gaussianKernel(gamma: number, order: number): ProductKernel {
  return (products, slope) => {
    for (let k = 0; k < products.length; k++) {
      const exponent = 2 * gamma * products[k]!;
      let below = 0; // the sum of all powers but the last, which is the derivative too
      let power = Math.exp(-2 * gamma);
      for (let p = 1; p <= order; p++) {
        below += power;
        power *= exponent / p;
      }
      products[k] = below + power;
      if (slope) slope[k] = 2 * gamma * below;
    }
  };
}

/**
 * ‖K(student) − K(teacher)‖² / B², K the products of the B rows with each other in the space of the kernel; or without the
 * square, with a derivative of 0 where they are equal. Where `derivative` is given, as zeros, it is written with that by the student.
 */
export function kernelDifference(
  student: Grid,
  teacher: Grid,
  kernel: ProductKernel,
  squared: boolean,
  derivative: Float64Array | undefined,
): number {
  const difference = gram(student);
  const other = gram(teacher);
  const pairs = difference.length;
  const slope = derivative && new Float64Array(pairs);
  kernel(difference, slope);
  kernel(other);
  for (let k = 0; k < pairs; k++) difference[k]! -= other[k]!;
  const length = norm(difference, 0, pairs);
  if (derivative && slope) {
    const factor = squared ? 2 : length === 0 ? 0 : 1 / length;
    for (let k = 0; k < pairs; k++) slope[k]! *= (factor * difference[k]!) / pairs;
    addGramAdjoint(slope, student, derivative);
  }
  return (squared ? length * length : length) / pairs;
}

/** weight · ‖x xᵀ − y yᵀ‖² / rows; slope += its derivative by x, laid out as x is. */
export function addRelation(x: Grid, y: Grid, weight: number, slope: Float64Array): number {
  const { rows, columns, rowStride, columnStride } = x;
  const factor = weight * rows; // of the mean over pairs
  const derivative = new Float64Array(rows * columns);
  const loss = factor * kernelDifference(x, y, bilinearKernel, true, derivative);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      slope[i * rowStride + j * columnStride]! += factor * derivative[i * columns + j]!;
    }
  }
  return loss;
}

/**
 * mean over i of Σ |δᵢ| |δᵢ₊₁|, δ = student − teacher, of each row with the next; 0 for a single row. Where `derivative` is given, as
 * zeros, it is written with the derivative by the student, which is 0 where δ is.
 */
export function consecutiveDifference(
  student: Grid,
  teacher: Grid,
  derivative: Float64Array | undefined,
): number {
  const { rows, columns } = student;
  const pairs = Math.max(rows - 1, 1);
  let sum = 0;
  for (let k = 0; k < rows * columns; k++) {
    const here = student.data[k]! - teacher.data[k]!;
    const last = k - columns;
    // Before the first row there is one of zeros, so that a NaN is seen in a single row too.
    const before = last < 0 ? 0 : student.data[last]! - teacher.data[last]!;
    sum += Math.abs(before) * Math.abs(here);
    if (!derivative) continue;
    derivative[k]! += (Math.sign(here) * Math.abs(before)) / pairs;
    if (last >= 0) derivative[last]! += (Math.sign(before) * Math.abs(here)) / pairs;
  }
  return sum / pairs;
}
