import { type Grid, grid, transpose } from '../products/grid.js';
import { addProduct } from '../products/product.js';
import { cosineDistance, norm } from '../rows/distance.js';
import { addGramAdjoint, gram } from './gram.js';

/**
 * One minus the linear centered kernel alignment of the rows of both sides; 1 where all rows of a side are equal. Where
 * `derivative` is given, as zeros, it is written with the derivative by the student.
 */
export function alignmentDistance(
  student: Grid,
  teacher: Grid,
  derivative: Float64Array | undefined,
): number {
  const { x, length } = centred(student);
  const { x: y, length: teacherLength } = centred(teacher);
  if (Math.min(length, teacherLength) === 0) return 1; // a NaN stays
  // In the form that takes fewer multiplications.
  const alignment = x.rows <= x.columns + y.columns ? alignmentOfRows : alignmentOfColumns;
  const loss = alignment(x, y, derivative);
  if (derivative) {
    // The mean that was taken out has no part in it, since the columns of the derivative add up to 0; nor has the length,
    // since the derivative is at right angles to x.
    for (let k = 0; k < derivative.length; k++) derivative[k]! /= length;
  }
  return loss;
}

/** The rows less their mean, over the root of their summed squares, `length`. */
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
  for (let k = 0; k < x.length; k++) x[k]! -= mean[k % columns]!;
  const length = norm(x, 0, x.length);
  for (let k = 0; k < x.length; k++) x[k]! /= length;
  return { x: grid(x, rows, columns), length };
}

/** 1 − ⟨x xᵀ, y yᵀ⟩ / (‖x xᵀ‖ ‖y yᵀ‖) */
function alignmentOfRows(x: Grid, y: Grid, derivative: Float64Array | undefined): number {
  const pairs = x.rows * x.rows;
  const slope = derivative && new Float64Array(pairs);
  const loss = cosineDistance(gram(x), 0, gram(y), 0, pairs, slope);
  if (derivative && slope) addGramAdjoint(slope, x, derivative);
  return loss;
}

/** The same as 1 − ‖yᵀ x‖² / (‖xᵀ x‖ ‖yᵀ y‖) */
function alignmentOfColumns(x: Grid, y: Grid, derivative: Float64Array | undefined): number {
  const own = gram(transpose(x));
  const teachers = gram(transpose(y));
  const cross = new Float64Array(y.columns * x.columns);
  addProduct(cross, transpose(y), x);
  const ownNorm = norm(own, 0, own.length);
  const teacherNorm = norm(teachers, 0, teachers.length);
  const crossNorm = norm(cross, 0, cross.length);
  const alignment = (crossNorm / ownNorm) * (crossNorm / teacherNorm);
  if (derivative) {
    // d ‖xᵀ x‖ = 2 x xᵀ x / ‖xᵀ x‖ and d ‖yᵀ x‖² = 2 y yᵀ x
    for (let k = 0; k < own.length; k++) own[k]! *= (2 * alignment) / ownNorm / ownNorm;
    for (let k = 0; k < cross.length; k++) cross[k]! *= -2 / ownNorm / teacherNorm;
    addProduct(derivative, x, grid(own, x.columns, x.columns));
    addProduct(derivative, y, grid(cross, y.columns, x.columns));
  }
  return 1 - alignment;
}
