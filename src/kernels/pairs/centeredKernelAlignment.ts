import { type Grid, grid, transpose } from '../products/grid.js';
import { addProduct, type PairLoss } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { norm } from '../rows/distance.js';
import {
  gram,
  mirror,
  precisionFor,
  rowVariances,
  sumOf,
  TOLERANCE,
  withProducts,
} from './gram.js';
import {
  type PairProducts,
  pairProducts,
  type Side,
  sideOf,
  subtractReference,
} from './pairProducts.js';

/**
 * Returns 1 − the linear centered kernel alignment of the rows of both sides; 1 if all rows of a
 * side are equal.
 */
export function alignmentDistance(student: Grid, teacher: Grid, withDerivative: boolean): PairLoss {
  // Two equivalent forms: the one with fewer multiplications computes.
  if (student.rows > student.columns + teacher.columns) {
    return alignmentOfColumns(student, teacher, withDerivative);
  }
  return withProducts(student, (precision) =>
    alignmentOfRows(student, teacher, withDerivative, precision),
  );
}

/** 1 − ⟨x xᵀ, y yᵀ⟩ / (‖x xᵀ‖ ‖y yᵀ‖). Undefined if float32 products are not precise enough. */
function alignmentOfRows(
  student: Grid,
  teacher: Grid,
  withDerivative: boolean,
  precision: Precision,
): PairLoss | undefined {
  const { rows } = student;
  const own = sideFor(student, precision);
  const products = pairProducts(own, sideFor(teacher, precision), precision);
  const { excess, teacher: other, base } = products;
  const { products: x } = excess;
  const { products: h } = other;
  if (precision === 'float32') {
    centre(x, rows);
    centre(h, rows);
  }
  const units = unitsOf(products, rows);
  if (!units) return precision === 'float32' ? undefined : { loss: 1 };
  const { inverse: f, weight: w } = units;
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    sum += (x[i * rows + i]! * f + h[i * rows + i]! * w) ** 2;
    let rest = 0;
    for (let k = i * rows + i + 1; k < (i + 1) * rows; k++) {
      const difference = x[k]! * f + h[k]! * w;
      rest += difference * difference;
    }
    sum += 2 * rest;
  }
  const error = f ** 2 * sumOf(rowVariances(excess)) + w ** 2 * sumOf(rowVariances(other));
  if (precision === 'float32' && !(error <= TOLERANCE ** 2 * sum)) return undefined;
  // 1 − cosine of two unit vectors is half the squared norm of their difference.
  const loss = sum / 2;
  if (!withDerivative) return { loss };
  const factor = (2 * f) / own.length;
  for (let i = 0; i < rows; i++) {
    for (let k = i * rows + i; k < (i + 1) * rows; k++) {
      x[k] = factor * (x[k]! * f + h[k]! * w - loss * f * (x[k]! + base * h[k]!));
    }
  }
  mirror(x, rows);
  // Centering needs no adjoint, because the columns of the derivative sum to 0. Dividing by the
  // length needs none, because the derivative is orthogonal to x.
  const a = grid(x, rows, rows);
  const largest = Math.sqrt(sumOf(own.squares));
  return { loss, derivative: { a, b: own.rows, largest, precision: precisionFor(student) } };
}

/**
 * Prepares the rows of one side. In float32 a common reference row is subtracted; `length` is 1. In
 * float64 the rows are centered and divided by `length`.
 */
function sideFor(rows: Grid, precision: Precision): Side & { readonly length: number } {
  if (precision === 'float32') return { ...subtractReference(rows, precision), length: 1 };
  // Rows of a moderate length: products of their products neither overflow nor underflow.
  const { x, length } = centred(rows);
  return { ...sideOf(x), length };
}

/**
 * Factors of the difference of both Gram matrices, each divided by its norm: inverse · excess +
 * weight · teacher.
 */
interface Units {
  /** 1 / norm of the student's Gram matrix. */
  readonly inverse: number;
  readonly weight: number;
}

/** Returns the factors; undefined if the norm of a Gram matrix is 0. */
function unitsOf({ excess, teacher, base }: PairProducts, rows: number): Units | undefined {
  const { products: x } = excess;
  const { products: h } = teacher;
  let [square, targetSquare, gain] = [0, 0, 0];
  for (let i = 0; i < rows; i++) {
    for (let k = i * rows + i; k < (i + 1) * rows; k++) {
      const count = k === i * rows + i ? 1 : 2; // the elements below the diagonal are the same
      const target = h[k]!;
      const product = x[k]! + base * target;
      square += count * product * product;
      targetSquare += count * target * target;
      gain += count * x[k]! * (product + target);
    }
  }
  const [length, targetLength] = [Math.sqrt(square), Math.sqrt(targetSquare)];
  // Not for NaN, which has to reach the loss.
  if (Math.min(length, targetLength) === 0) return undefined;
  const [inverse, targetInverse] = [1 / length, 1 / targetLength];
  const shrinkage = -gain / (length + targetLength);
  return { inverse, weight: base ? shrinkage * inverse * targetInverse : -targetInverse };
}

/**
 * Turns products of rows into products of centered rows, in place: the elements on and above the
 * diagonal.
 */
function centre(products: Float64Array, rows: number): void {
  const means = new Float64Array(rows);
  let mean = 0;
  for (let i = 0; i < rows; i++) {
    let sum = products[i * rows + i]!;
    for (let j = i + 1; j < rows; j++) {
      sum += products[i * rows + j]!;
      means[j]! += products[i * rows + j]!;
    }
    means[i] = (means[i]! + sum) / rows;
    mean += means[i]! / rows;
  }
  for (let i = 0; i < rows; i++) {
    const shift = mean - means[i]!;
    for (let j = i; j < rows; j++) products[i * rows + j]! += shift - means[j]!;
  }
}

/**
 * Centers the rows and divides them by `length`, the root of their summed squares. Returns zeros if
 * all rows are equal.
 */
function centred({ data, rows, columns }: Grid): { x: Grid; length: number } {
  const x = new Float64Array(rows * columns);
  const mean = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      // Less the first row: exactly 0 if all are equal.
      const value = data[i * columns + j]! - data[j]!;
      x[i * columns + j] = value;
      mean[j]! += value / rows;
    }
  }
  for (let start = 0; start < x.length; start += columns) {
    for (let j = 0; j < columns; j++) x[start + j]! -= mean[j]!;
  }
  const length = norm(x, 0, x.length);
  if (length !== 0) for (let k = 0; k < x.length; k++) x[k]! /= length;
  return { x: grid(x, rows, columns), length };
}

/** 1 − ‖yᵀ x‖² / (‖xᵀ x‖ ‖yᵀ y‖), which equals {@link alignmentOfRows}. */
function alignmentOfColumns(student: Grid, teacher: Grid, withDerivative: boolean): PairLoss {
  const { x, length } = centred(student);
  const { x: y, length: teacherLength } = centred(teacher);
  if (Math.min(length, teacherLength) === 0) return { loss: 1 }; // not for NaN
  const own = gram(transpose(x));
  const teachers = gram(transpose(y));
  const cross = new Float64Array(y.columns * x.columns);
  addProduct(cross, transpose(y), x);
  const ownNorm = norm(own, 0, own.length);
  const teacherNorm = norm(teachers, 0, teachers.length);
  const crossNorm = norm(cross, 0, cross.length);
  const alignment = (crossNorm / ownNorm) * (crossNorm / teacherNorm);
  const loss = 1 - alignment;
  if (!withDerivative) return { loss };
  // d ‖xᵀ x‖ = 2 x xᵀ x / ‖xᵀ x‖ and d ‖yᵀ x‖² = 2 y yᵀ x. One product computes their weighted sum:
  // [x y] times the matrix of both factors, one above the other.
  const columns = x.columns + y.columns;
  const both = new Float64Array(x.rows * columns);
  for (let i = 0; i < x.rows; i++) {
    both.set(x.data.subarray(i * x.columns, (i + 1) * x.columns), i * columns);
    both.set(y.data.subarray(i * y.columns, (i + 1) * y.columns), i * columns + x.columns);
  }
  const factors = new Float64Array(columns * x.columns);
  const factor = (2 * alignment) / ownNorm / ownNorm / length;
  const crossFactor = -2 / ownNorm / teacherNorm / length;
  own.forEach((value, k) => {
    factors[k] = factor * value;
  });
  cross.forEach((value, k) => {
    factors[own.length + k] = crossFactor * value;
  });
  const a = grid(both, x.rows, columns);
  const b = grid(factors, columns, x.columns);
  const largest = Math.max(factor * ownNorm, -crossFactor * crossNorm);
  return { loss, derivative: { a, b, largest, precision: 'float64' } };
}
