import type { Grid } from '../products/grid.js';
import { type Derivative, precisionOf } from '../products/product.js';
import { toUnit, unitAdjoint } from '../rows/unit.js';
import { bothWays, fineProducts, type Products, quickProducts, TOLERANCE } from './gram.js';

interface Difference {
  readonly loss: number;
  readonly derivative?: Derivative;
}

/**
 * The mean over pairs of rows of (Ĝ(student) − Ĝ(teacher))², where Ĝ is x · xᵀ with its rows at unit length. Products of float32
 * will do, unless student and teacher are so near that the errors show in what they differ by.
 */
export function similarityDifference(student: Grid, teacher: Grid, wanted: boolean): Difference {
  // Of doubles they are always good enough.
  return (
    differenceOf(quickProducts(student), quickProducts(teacher), student, wanted) ??
    differenceOf(fineProducts(student), fineProducts(teacher), student, wanted)!
  );
}

/** Uses up the products. `undefined` where they are not good enough. */
function differenceOf(
  student: Products,
  teacher: Products,
  x: Grid,
  wanted: boolean,
): Difference | undefined {
  const { rows } = x;
  const { products: own } = student;
  const { products: other } = teacher;
  const pairs = rows * rows;
  const ownTrace = trace(own, rows);
  const otherTrace = trace(other, rows);
  const largest = Math.sqrt(ownTrace);
  let sum = 0;
  for (let from = 0, i = 0; from < pairs; from += rows, i++) {
    // ‖xᵢ‖² Σ ‖xⱼ‖²: what the errors of this row are measured in
    const ownScale = own[from + i]! * ownTrace;
    const otherScale = other[from + i]! * otherTrace;
    const denominator = toUnit(own, from, rows);
    const otherDenominator = toUnit(other, from, rows);
    let rowSum = 0;
    for (let k = from; k < from + rows; k++) {
      const u = own[k]! - other[k]!;
      rowSum += u * u;
      other[k] = (2 * u) / pairs; // the teacher's is done with: from here on the derivative
    }
    const error =
      ownScale * (student.error / denominator) ** 2 +
      otherScale * (teacher.error / otherDenominator) ** 2;
    if (error > TOLERANCE ** 2 * rowSum) return undefined;
    sum += rowSum;
    if (wanted) unitAdjoint(own, denominator, other, from, rows);
  }
  const loss = sum / pairs;
  if (!wanted) return { loss };
  return {
    loss,
    derivative: { a: bothWays(other, rows), b: x, largest, precision: precisionOf(x) },
  };
}

/** Σ ‖xᵢ‖² */
function trace(products: Float64Array, rows: number): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += products[i * rows + i]!;
  return sum;
}
