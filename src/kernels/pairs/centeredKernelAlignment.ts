import { type Grid, grid, transpose } from '../products/grid.js';
import { addProduct, type Derivative } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { norm } from '../rows/distance.js';
import { gram, mirror, precisionFor, productsOf, TOLERANCE, withProducts } from './gram.js';
import { lessReference } from './pairDistances.js';

interface Alignment {
  readonly loss: number;
  readonly derivative?: Derivative;
}

/** One minus the linear centered kernel alignment of the rows of both sides; 1 where all rows of a side are equal. */
export function alignmentDistance(student: Grid, teacher: Grid, wanted: boolean): Alignment {
  // In the form that takes fewer multiplications.
  if (student.rows > student.columns + teacher.columns) {
    return alignmentOfColumns(student, teacher, wanted);
  }
  return withProducts(student, (precision) => alignmentOfRows(student, teacher, wanted, precision));
}

/** 1 − ⟨x xᵀ, y yᵀ⟩ / (‖x xᵀ‖ ‖y yᵀ‖). Undefined where float32 products are not precise enough. */
function alignmentOfRows(
  student: Grid,
  teacher: Grid,
  wanted: boolean,
  precision: Precision,
): Alignment | undefined {
  const own = relationsOf(student, precision);
  const other = relationsOf(teacher, precision);
  if (precision === 'float32' && !(Math.min(own.norm, other.norm) > 0)) return undefined;
  if (Math.min(own.norm, other.norm) === 0) return { loss: 1 };
  const { rows } = student;
  const { products: g } = own;
  const { products: h } = other;
  const f = 1 / own.norm;
  const e = 1 / other.norm;
  let sum = 0;
  let along = 0;
  for (let i = 0; i < rows; i++) {
    const u = g[i * rows + i]! * f - h[i * rows + i]! * e;
    sum += u * u;
    along += g[i * rows + i]! * f * u;
    let rest = 0;
    let restAlong = 0;
    for (let k = i * rows + i + 1; k < (i + 1) * rows; k++) {
      const unit = g[k]! * f;
      const difference = unit - h[k]! * e;
      rest += difference * difference;
      restAlong += unit * difference;
    }
    sum += 2 * rest;
    along += 2 * restAlong;
  }
  const error = (own.error * f) ** 2 + (other.error * e) ** 2;
  if (precision === 'float32' && !(error <= TOLERANCE ** 2 * sum)) return undefined;
  const loss = sum / 2; // as the cosine of two unit vectors is 1 − ½ of the square of what they differ by
  if (!wanted) return { loss };
  const factor = (2 * f) / own.length;
  const shrink = 1 - along;
  for (let i = 0; i < rows; i++) {
    for (let k = i * rows + i; k < (i + 1) * rows; k++) {
      g[k] = factor * (g[k]! * f * shrink - h[k]! * e);
    }
  }
  mirror(g, rows);
  // The mean that was taken out has no part in it, since the columns of the derivative add up to 0; nor has the length,
  // since the derivative is at right angles to x.
  const a = grid(g, rows, rows);
  const { x, largest } = own;
  return { loss, derivative: { a, b: x, largest, precision: precisionFor(student) } };
}

/** How rows relate to each other, once their mean is taken out. */
interface Relations {
  /** x · xᵀ of the rows less their mean, over the square of `length`; from the diagonal on to the right. */
  readonly products: Float64Array;
  readonly norm: number;
  /** Norm of the errors of the products. */
  readonly error: number;
  /** The rows over `length`, but for a row that is the same for all. */
  readonly x: Grid;
  readonly length: number;
  /** No element of x is beyond ±largest. */
  readonly largest: number;
}

function relationsOf(rows: Grid, precision: Precision): Relations {
  const isQuick = precision === 'float32';
  // In doubles, at a length of 1: products of products neither overflow nor underflow.
  const between = isQuick ? lessReference(rows, precision) : undefined;
  const { x, length } = between ? { x: between.differences, length: 1 } : centred(rows);
  const { products, error } = productsOf(x, precision, between?.squares);
  const trace = traceOf(products, x.rows);
  if (isQuick) centre(products, x.rows);
  const size = normOf(products, x.rows);
  const largest = Math.sqrt(trace);
  return { products, norm: size, error: error * trace, x, length, largest };
}

function traceOf(products: Float64Array, rows: number): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += products[i * rows + i]!;
  return sum;
}

/** The Frobenius norm by what is on and above the diagonal. */
function normOf(products: Float64Array, rows: number): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    let rest = 0;
    for (let k = i * rows + i + 1; k < (i + 1) * rows; k++) rest += products[k]! * products[k]!;
    sum += products[i * rows + i]! ** 2 + 2 * rest;
  }
  return Math.sqrt(sum);
}

/** Products of rows, from the diagonal on to the right, become those of the rows less their mean. */
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

/** The rows less their mean, over the root of their summed squares, `length`; zeros where they are all equal. */
function centred({ data, rows, columns }: Grid): { x: Grid; length: number } {
  const x = new Float64Array(rows * columns);
  const mean = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const value = data[i * columns + j]! - data[j]!; // exactly 0 where all rows are equal
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

/** The same as 1 − ‖yᵀ x‖² / (‖xᵀ x‖ ‖yᵀ y‖) */
function alignmentOfColumns(student: Grid, teacher: Grid, wanted: boolean): Alignment {
  const { x, length } = centred(student);
  const { x: y, length: teacherLength } = centred(teacher);
  if (Math.min(length, teacherLength) === 0) return { loss: 1 }; // a NaN stays
  const own = gram(transpose(x));
  const teachers = gram(transpose(y));
  const cross = new Float64Array(y.columns * x.columns);
  addProduct(cross, transpose(y), x);
  const ownNorm = norm(own, 0, own.length);
  const teacherNorm = norm(teachers, 0, teachers.length);
  const crossNorm = norm(cross, 0, cross.length);
  const alignment = (crossNorm / ownNorm) * (crossNorm / teacherNorm);
  const loss = 1 - alignment;
  if (!wanted) return { loss };
  // d ‖xᵀ x‖ = 2 x xᵀ x / ‖xᵀ x‖ and d ‖yᵀ x‖² = 2 y yᵀ x: as one product, of [x y] with both factors on top of each other
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
