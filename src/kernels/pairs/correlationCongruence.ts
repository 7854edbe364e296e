// Compares the Gram matrices of both sides in the feature space of a kernel.

import { type Grid, grid } from '../products/grid.js';
import { type PairLoss, valuesOf } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { norm } from '../rows/distance.js';
import { mirror, precisionFor, TOLERANCE, withProducts } from './gram.js';
import { pairProducts, sideOf } from './pairProducts.js';

/**
 * Coefficients c of a polynomial kernel k(x, y) = Σ_p cₚ (x · y)ᵖ.
 */
export type ProductKernel = readonly number[];

/** k(x, y) = x · y. */
export const bilinearKernel: ProductKernel = [0, 1];

/**
 * Gaussian kernel exp(−γ ‖x − y‖²) of unit vectors. It equals exp(−2γ) exp(2γ x · y); the second
 * factor is a Taylor series up to the power `order`.
 */
export function gaussianKernel(gamma: number, order: number): ProductKernel {
  const coefficients = [Math.exp(-2 * gamma)];
  for (let p = 1; p <= order; p++) coefficients.push((coefficients[p - 1]! * 2 * gamma) / p);
  return coefficients;
}

/**
 * Computes ‖K(student) − K(teacher)‖² / B² for the kernel matrices K of the B rows. If not
 * `squared`, the norm is not squared, and its derivative is 0 at K(student) = K(teacher).
 */
export function kernelDifference(
  student: Grid,
  teacher: Grid,
  kernel: ProductKernel,
  squared: boolean,
  withDerivative: boolean,
): PairLoss {
  return withProducts(student, (precision) => {
    const difference = differenceOf(student, teacher, kernel, precision);
    if (!difference) return undefined;
    const { differences, slopes } = difference;
    const { rows } = student;
    const pairs = rows * rows;
    const length = normOf(differences, rows);
    const loss = (squared ? length * length : length) / pairs;
    if (!withDerivative) return { loss };
    // The factor 2 counts the equal element below the diagonal.
    const factor = 2 * (squared ? 2 : length === 0 ? 0 : 1 / length);
    for (let i = 0; i < rows; i++) {
      for (let k = i * rows + i; k < (i + 1) * rows; k++) {
        slopes[k] = (factor * slopes[k]! * differences[k]!) / pairs;
      }
    }
    mirror(slopes, rows);
    const { largest } = difference;
    const a = grid(slopes, rows, rows);
    return { loss, derivative: { a, b: student, largest, precision: precisionFor(student) } };
  });
}

/**
 * Difference of the kernel matrices. Only the elements on and above the diagonal are set.
 */
interface KernelDifference {
  /** K(student) − K(teacher). */
  readonly differences: Float64Array;
  /** d K(student) / d (x · y) of each pair. */
  readonly slopes: Float64Array;
  /** Every element of the student is in ±largest. */
  readonly largest: number;
}

/**
 * Returns the difference of the kernel matrices; undefined if float32 products are not precise
 * enough.
 */
function differenceOf(
  student: Grid,
  teacher: Grid,
  kernel: ProductKernel,
  precision: Precision,
): KernelDifference | undefined {
  const { rows } = student;
  const [own, target] = [sideOf(student), sideOf(teacher)];
  const { excess, teacher: other, base } = pairProducts(own, target, precision);
  const { products: slopes, variance, a, b } = excess;
  const { products: differences } = other; // the teacher's products, overwritten
  const targetVariance = (1 - base) * 2 * other.variance;
  const order = kernel.length - 1;
  const last = kernel[order]!;
  let sum = 0;
  let errors = 0;
  let trace = 0;
  for (let i = 0; i < rows; i++) {
    const [ai, bi] = [variance * a[i]!, variance * b[i]!];
    const ti = targetVariance * other.a[i]!;
    trace += slopes[i * rows + i]! + base * differences[i * rows + i]!;
    for (let j = i; j < rows; j++) {
      const k = i * rows + j;
      const y = differences[k]!;
      const x = slopes[k]! + base * y;
      const gap = slopes[k]! + (base - 1) * y;
      let value = last;
      let slope = order * last;
      // Polynomial at x − polynomial at y, by Horner's scheme without cancellation.
      let difference = 0;
      for (let p = order - 1; p > 0; p--) {
        difference = difference * y + value * gap;
        value = value * x + kernel[p]!;
        slope = slope * x + p * kernel[p]!;
      }
      difference = difference * y + value * gap;
      sum += difference * difference;
      errors += slope * slope * (ai * b[j]! + bi * a[j]! + ti * other.a[j]!);
      slopes[k] = slope;
      differences[k] = difference;
    }
  }
  if (precision === 'float32' && !(errors <= TOLERANCE ** 2 * sum)) return undefined;
  return { differences, slopes, largest: Math.sqrt(trace) };
}

/** Returns the norm of a symmetric matrix, given by its elements on and above the diagonal. */
function normOf(upper: Float64Array, rows: number): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    let rest = 0;
    for (let k = i * rows + i + 1; k < (i + 1) * rows; k++) rest += upper[k]! * upper[k]!;
    sum += upper[i * rows + i]! ** 2 + 2 * rest;
  }
  if (sum > 1e-250 && sum < 1e250) return Math.sqrt(sum);
  const whole = upper.slice(); // the sum of squares has overflowed or underflowed
  mirror(whole, rows);
  return norm(whole, 0, whole.length);
}

/** Returns weight · ‖x xᵀ − y yᵀ‖² / rows; adds its derivative to `slope`, in the layout of x. */
export function addRelation(x: Grid, y: Grid, weight: number, slope: Float64Array): number {
  const { rows, columns, rowStride, columnStride } = x;
  const factor = weight * rows; // kernelDifference divides by rows²
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
 * Computes the mean over i of Σ |δᵢ| |δᵢ₊₁| for rows δ = student − teacher; 0 for a single row.
 *
 * @param derivative - zeros, to be written with the derivative with respect to the student, which
 * is 0 where δ is 0
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
    // A row of zeros precedes the first row, so that a NaN in a single row reaches the loss.
    const before = last < 0 ? 0 : student.data[last]! - teacher.data[last]!;
    sum += Math.abs(before) * Math.abs(here);
    if (!derivative) continue;
    derivative[k]! += (Math.sign(here) * Math.abs(before)) / pairs;
    if (last >= 0) derivative[last]! += (Math.sign(before) * Math.abs(here)) / pairs;
  }
  return sum / pairs;
}
