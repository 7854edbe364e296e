import { type Grid, grid } from '../products/grid.js';
import type { Derivative } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { mirror, precisionFor } from './gram.js';
import { lessReference, pairProducts, sideOf } from './pairProducts.js';

/**
 * The distances of the rows of a batch from each other: those of the student are
 * `excess + base · teacher`.
 */
export interface PairDistances {
  readonly rows: number;
  /** [rows][rows], in doubles; from the diagonal on to the right. */
  readonly excess: Float64Array;
  readonly teacher: Float64Array;
  /** As of products: 1 where the excess is how distances differ. */
  readonly base: 0 | 1;
  /**
   * The mean distance of different rows of the student, or 1 where all distances are 0: the unit of
   * distances.
   */
  readonly unit: number;
  readonly teacherUnit: number;
  /** Distances in their units differ by excess / unit + weight · teacher. */
  readonly weight: number;
  /** The least distance of rows of the student that do not touch. */
  readonly nearest: number;
  /** Σ over pairs of the squared errors of that difference. */
  readonly error: number;
  /** The rows of the student less a point between them, where products were computed in float32. */
  readonly differences: Grid | undefined;
}

/** Below these shares of what it is the difference of, the square of a distance has lost digits. */
const NEAR = { float32: 0.1, float64: 1e-3 };

/**
 * Rows nearer to each other than this share of the mean distance have no direction from one to the
 * other.
 */
const TOUCHING = 1e-12;

/**
 * Where rows are nearer to each other than this share of the mean distance, float32 has too few
 * digits for what pulls them.
 */
const CLOSE = 1 / 16;

/**
 * By the products of rows with each other, except where rows are so near that those all but cancel.
 * Float32 products are of the rows less a point between them, which leaves little to cancel;
 * undefined where many rows are near.
 */
export function pairDistances(
  student: Grid,
  teacher: Grid,
  precision: Precision,
): PairDistances | undefined {
  const { rows } = student;
  const isQuick = precision === 'float32';
  const own = isQuick ? lessReference(student, precision) : sideOf(student);
  const other = isQuick ? lessReference(teacher, precision) : sideOf(teacher);
  const products = pairProducts(own, other, precision);
  const { base } = products;
  const { products: x, a, b } = products.excess;
  const { products: h, a: sizes } = products.teacher;
  const squares = Float64Array.from({ length: rows }, (_, i) => x[i * rows + i]!);
  const targets = Float64Array.from({ length: rows }, (_, i) => h[i * rows + i]!);
  let [sum, targetSum] = [0, 0];
  let [error, targetError] = [0, 0];
  let nearest = Infinity;
  let count = 0; // of pairs that are near
  const near = NEAR[precision];
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
        count++;
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
    if (isQuick && count > rows) return undefined; // one by one, they take longer than products of doubles
    // A NaN has to be seen where there is no other row.
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
  // The error of a square is that of twice a product of rows; the derivative of the root is 1 / 2
  // distance.
  const errors = isQuick
    ? (products.excess.variance * error) / unit ** 2 +
      products.teacher.variance * targetError * weight ** 2
    : 0;
  const differences = isQuick ? own.rows : undefined;
  return { ...distances, teacherUnit, weight, nearest, error: errors / 2, differences };
}

/** The least distance of rows of the student that do not touch. */
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

/** ‖sᵢ − sⱼ‖² − ‖tᵢ − tⱼ‖² */
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
 * 1 / distance, and 0 where rows touch: what a derivative by the distance is to be divided by, or
 * cut off at.
 */
export function inverseDistance(distance: number, unit: number): number {
  return distance <= TOUCHING * unit ? 0 : 1 / distance;
}

/**
 * The adjoint of ½ ‖xᵢ − xⱼ‖²: d loss / d x, for the slope of a loss by each pair i < j. To the
 * precision of x, unless some of its rows are close. Overwrites the slope.
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
  // Σ pull (xᵢ − xⱼ) is the same wherever rows are counted from: from a point between them, the
  // least is lost.
  const precision = nearest < CLOSE * unit ? 'float64' : precisionFor(x);
  const differences = precision === 'float32' ? own.differences : undefined;
  const b = differences ?? lessReference(x, 'float64').rows; // float32 might overflow
  // No element of the rows less that point is beyond twice the sum of the distances from one of
  // them.
  let largest = 0;
  for (let i = 0; i < rows; i++) largest += 2 * (excess[i]! + base * teacher[i]!); // a NaN stays
  return { a: grid(slope, rows, rows), b, largest, precision };
}
