// How rows go together, on one side and on the other.

import { type Grid, grid } from '../products/grid.js';
import { type PairLoss, valuesOf } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { norm } from '../rows/distance.js';
import { mirror, precisionFor, TOLERANCE, withProducts } from './gram.js';
import { pairProducts, sideOf } from './pairProducts.js';

/**
 * The coefficients c of a polynomial Σ cₚ (x · y)ᵖ: what the product of two rows becomes in another
 * space.
 */
export type ProductKernel = readonly number[];

/** x · y itself. */
export const bilinearKernel: ProductKernel = [0, 1];

/**
 * exp(−γ ‖x − y‖²) of x and y of unit length: exp(−2γ) exp(2γ x · y), the second up to a power of
 * its product.
 */
export function gaussianKernel(gamma: number, order: number): ProductKernel {
  const coefficients = [Math.exp(-2 * gamma)];
  for (let p = 1; p <= order; p++) coefficients.push((coefficients[p - 1]! * 2 * gamma) / p);
  return coefficients;
}

/**
 * ‖K(student) − K(teacher)‖² / B², K the products of the B rows with each other in the space of the
 * kernel; or without the square, with a derivative of 0 where they are equal.
 */
export function kernelDifference(
  student: Grid,
  teacher: Grid,
  kernel: ProductKernel,
  squared: boolean,
  wanted: boolean,
): PairLoss {
  return withProducts(student, (precision) => {
    const difference = differenceOf(student, teacher, kernel, precision);
    if (!difference) return undefined;
    const { halves, slopes } = difference;
    const { rows } = student;
    const pairs = rows * rows;
    const length = normOf(halves, rows);
    const loss = (squared ? length * length : length) / pairs;
    if (!wanted) return { loss };
    // Twice, since a pair stands on both sides of the diagonal.
    const factor = 2 * (squared ? 2 : length === 0 ? 0 : 1 / length);
    for (let i = 0; i < rows; i++) {
      for (let k = i * rows + i; k < (i + 1) * rows; k++) {
        slopes[k] = (factor * slopes[k]! * halves[k]!) / pairs;
      }
    }
    mirror(slopes, rows);
    const { largest } = difference;
    const a = grid(slopes, rows, rows);
    return { loss, derivative: { a, b: student, largest, precision: precisionFor(student) } };
  });
}

/**
 * From the diagonal on to the right: K(student) − K(teacher), and the slopes of K(student) by its
 * products.
 */
interface Halves {
  readonly halves: Float64Array;
  readonly slopes: Float64Array;
  /** No element of the student is beyond ±largest. */
  readonly largest: number;
}

/** Undefined where the products are not precise enough. */
function differenceOf(
  student: Grid,
  teacher: Grid,
  kernel: ProductKernel,
  precision: Precision,
): Halves | undefined {
  const { rows } = student;
  const [own, target] = [sideOf(student), sideOf(teacher)];
  const { excess, teacher: other, base } = pairProducts(own, target, precision);
  const { products: slopes, variance, a, b } = excess;
  const { products: halves } = other;
  const targetVariance = (1 - base) * 2 * other.variance;
  const order = kernel.length - 1;
  const last = kernel[order]!;
  let sum = 0;
  let errors = 0;
  let trace = 0;
  for (let i = 0; i < rows; i++) {
    const [ai, bi] = [variance * a[i]!, variance * b[i]!];
    const ti = targetVariance * other.a[i]!;
    trace += slopes[i * rows + i]! + base * halves[i * rows + i]!;
    for (let j = i; j < rows; j++) {
      const k = i * rows + j;
      const y = halves[k]!;
      const x = slopes[k]! + base * y;
      const gap = slopes[k]! + (base - 1) * y;
      let value = last;
      let slope = order * last;
      let difference = 0; // of the value at x and that at y
      for (let p = order - 1; p > 0; p--) {
        difference = difference * y + value * gap;
        value = value * x + kernel[p]!;
        slope = slope * x + p * kernel[p]!;
      }
      difference = difference * y + value * gap;
      sum += difference * difference;
      errors += slope * slope * (ai * b[j]! + bi * a[j]! + ti * other.a[j]!);
      slopes[k] = slope;
      halves[k] = difference;
    }
  }
  if (precision === 'float32' && !(errors <= TOLERANCE ** 2 * sum)) return undefined;
  return { halves, slopes, largest: Math.sqrt(trace) };
}

/** The norm of a symmetric matrix by what is on and above its diagonal. */
function normOf(halves: Float64Array, rows: number): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    let rest = 0;
    for (let k = i * rows + i + 1; k < (i + 1) * rows; k++) rest += halves[k]! * halves[k]!;
    sum += halves[i * rows + i]! ** 2 + 2 * rest;
  }
  if (sum > 1e-250 && sum < 1e250) return Math.sqrt(sum);
  const whole = halves.slice(); // squares are too large or too small to add up
  mirror(whole, rows);
  return norm(whole, 0, whole.length);
}

/** weight · ‖x xᵀ − y yᵀ‖² / rows; slope += its derivative by x, laid out as x is. */
export function addRelation(x: Grid, y: Grid, weight: number, slope: Float64Array): number {
  const { rows, columns, rowStride, columnStride } = x;
  const factor = weight * rows; // of the mean over pairs
  const { loss, derivative } = kernelDifference(x, y, bilinearKernel, true, true);
  const values = valuesOf(derivative!);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      slope[i * rowStride + j * columnStride]! += factor * values[i * columns + j]!;
    }
  }
  return factor * loss;
}

/**
 * mean over i of Σ |δᵢ| |δᵢ₊₁|, δ = student − teacher, of each row with the next; 0 for a single
 * row. Where `derivative` is given, as zeros, it is written with the derivative by the student,
 * which is 0 where δ is.
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
