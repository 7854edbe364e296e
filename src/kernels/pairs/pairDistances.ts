import { type Grid, grid } from '../products/grid.js';
import type { Derivative } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { mirror, precisionFor } from './gram.js';
import { pairProducts, sideOf, subtractReference } from './pairProducts.js';

/**
 * Distances of all pairs of rows. The student's distances are `excess + base · teacher`.
 */
export interface PairDistances {
  readonly rows: number;
  /** Doubles in the shape [rows, rows]; only the elements on and above the diagonal are set. */
  readonly excess: Float64Array;
  readonly teacher: Float64Array;
  /**
   * 1 if `excess` holds differences of distances, 0 if it holds the student's distances; see
   * {@link PairProducts}.
   */
  readonly base: 0 | 1;
  /**
   * Unit of the student's distances: their mean over different rows, or 1 if all are 0.
   */
  readonly unit: number;
  readonly teacherUnit: number;
  /** Student's − teacher's distance, each in its unit, is excess / unit + weight · teacher. */
  readonly weight: number;
  /** Least distance of rows of the student that do not touch. */
  readonly nearest: number;
  /** Σ over pairs of the squared errors of these differences. */
  readonly error: number;
  /** The student's rows less a reference row, if the products were computed in float32. */
  readonly differences: Grid | undefined;
}

/**
 * A squared distance is a difference, ‖x‖² + ‖y‖² − 2 x · y. Below these shares of ‖x‖² + ‖y‖²,
 * cancellation has cost it too many digits.
 */
const CANCELLED = { float32: 0.1, float64: 1e-3 };

/**
 * Rows touch below this share of the mean distance. The direction from one row to the other is then
 * undefined.
 */
const TOUCHING = 1e-12;

/**
 * Below this share of the mean distance, the derivative with respect to a distance is so large that
 * float32 has too few digits.
 */
const CLOSE = 1 / 16;

/**
 * Computes distances from products of rows, except for pairs of rows so near that the products
 * almost cancel. In float32 a reference row is subtracted first, which leaves little to cancel.
 * Undefined if float32 products are not precise enough, because many rows are near.
 */
export function pairDistances(
  student: Grid,
  teacher: Grid,
  precision: Precision,
): PairDistances | undefined {
  const { rows } = student;
  const isQuick = precision === 'float32';
  const own = isQuick ? subtractReference(student, precision) : sideOf(student);
  const other = isQuick ? subtractReference(teacher, precision) : sideOf(teacher);
  const products = pairProducts(own, other, precision);
  const { base } = products;
  const { products: x, a, b } = products.excess;
  const { products: h, a: sizes } = products.teacher;
  const squares = Float64Array.from({ length: rows }, (_, i) => x[i * rows + i]!);
  const targets = Float64Array.from({ length: rows }, (_, i) => h[i * rows + i]!);
  let [sum, targetSum] = [0, 0];
  let [error, targetError] = [0, 0];
  let nearest = Infinity;
  let nearPairs = 0;
  const near = CANCELLED[precision];
  for (let i = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++) {
      const k = i * rows + j;
      const targetBoth = targets[i]! + targets[j]!;
      const partBoth = squares[i]! + squares[j]!;
      let target = targetBoth - 2 * h[k]!;
      let part = partBoth - 2 * x[k]!;
      let square = part + base * target;
      if (!(target > near * targetBoth && square > near * (partBoth + base * targetBoth))) {
        target = squaredDistance(teacher, i, j);
        square = squaredDistance(student, i, j);
        part = base ? squaresApart(student, teacher, i, j) : square;
        nearPairs++;
      } else {
        error += ((a[i]! + a[j]!) * (b[i]! + b[j]!)) / square;
        targetError += (sizes[i]! + sizes[j]!) ** 2 / target;
      }
      const distance = Math.sqrt(square);
      h[k] = Math.sqrt(target);
      x[k] = base ? part / (distance + h[k]! || 1) : distance;
      sum += x[k]!;
      targetSum += h[k]!;
      if (distance < nearest && distance > 0) nearest = distance;
    }
    // One by one takes longer than float64 products.
    if (isQuick && nearPairs > rows) return undefined;
    // A NaN has to reach the loss also if the row is the only one.
    x[i * rows + i] = 0 * squares[i]!;
    h[i * rows + i] = 0 * targets[i]!;
  }
  const scale = 2 / Math.max(rows * (rows - 1), 1);
  const unit = scale * (sum + base * targetSum) || 1;
  const teacherUnit = scale * targetSum || 1;
  const weight =
    base && targetSum > 0 ? (-scale * sum) / unit / teacherUnit : base / unit - 1 / teacherUnit;
  const distances = { rows, excess: x, teacher: h, base, unit };
  if (nearest <= TOUCHING * unit) nearest = nearestApart(distances);
  // The error of a squared distance is that of 2 x · y; the square root divides it by 2 · distance.
  const errors = isQuick
    ? (products.excess.variance * error) / unit ** 2 +
      products.teacher.variance * targetError * weight ** 2
    : 0;
  const differences = isQuick ? own.rows : undefined;
  return { ...distances, teacherUnit, weight, nearest, error: errors / 2, differences };
}

/** Returns the least distance of rows of the student that do not touch. */
function nearestApart({
  rows,
  excess,
  teacher,
  base,
  unit,
}: Pick<PairDistances, 'rows' | 'excess' | 'teacher' | 'base' | 'unit'>): number {
  let nearest = Infinity;
  for (let i = 0; i < rows; i++) {
    for (let k = i * rows + i + 1; k < (i + 1) * rows; k++) {
      const distance = excess[k]! + base * teacher[k]!;
      if (distance < nearest && distance > TOUCHING * unit) nearest = distance;
    }
  }
  return nearest;
}

/** ‖sᵢ − sⱼ‖² − ‖tᵢ − tⱼ‖², without cancellation. */
function squaresApart(student: Grid, teacher: Grid, i: number, j: number): number {
  const { data: s, columns } = student;
  const { data: t } = teacher;
  let sum = 0;
  for (let k = 0; k < columns; k++) {
    const first = i * columns + k;
    const second = j * columns + k;
    const gap = s[first]! - t[first]! - (s[second]! - t[second]!);
    sum += gap * (s[first]! + t[first]! - (s[second]! + t[second]!));
  }
  return sum;
}

function squaredDistance({ data, columns }: Grid, i: number, j: number): number {
  let sum = 0;
  for (let k = 0; k < columns; k++) {
    const u = data[i * columns + k]! - data[j * columns + k]!;
    sum += u * u;
  }
  return sum;
}

/**
 * Returns 1 / distance, the factor in the derivative of a distance; 0 for rows that touch.
 */
export function inverseDistance(distance: number, unit: number): number {
  return distance <= TOUCHING * unit ? 0 : 1 / distance;
}

/**
 * Adjoint of ½ ‖xᵢ − xⱼ‖²: returns d(loss) / d(x) for the slope of each pair i < j, which is
 * overwritten. The product has the precision of x, or float64 if some rows of x are close.
 */
export function distanceAdjoint(slope: Float64Array, x: Grid, own: PairDistances): Derivative {
  const { excess, teacher, base, unit, nearest, rows } = own;
  const pulls = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = i + 1; j < rows; j++) {
      const pull = slope[i * rows + j]!;
      sum += pull;
      pulls[j]! += pull;
      slope[i * rows + j] = -pull;
    }
    pulls[i]! += sum;
    slope[i * rows + i] = pulls[i]!;
  }
  mirror(slope, rows);
  // Σ pull (xᵢ − xⱼ) does not change if a reference row is subtracted from all rows, which makes
  // the products smaller and their rounding errors too.
  const precision = nearest < CLOSE * unit ? 'float64' : precisionFor(x);
  const differences = precision === 'float32' ? own.differences : undefined;
  const b = differences ?? subtractReference(x, 'float64').rows; // float32 might overflow
  // A bound on the elements of b: twice the sum of the distances from one row.
  let largest = 0;
  for (let i = 0; i < rows; i++) largest += 2 * (excess[i]! + base * teacher[i]!);
  return { a: grid(slope, rows, rows), b, largest, precision };
}
