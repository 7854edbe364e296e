import { type Grid, grid } from '../products/grid.js';
import type { PairLoss } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { norm } from '../rows/distance.js';
import { mirror, precisionFor, rowVariances, sumOf, TOLERANCE, withProducts } from './gram.js';
import { type PairProducts, pairProducts, sideOf } from './pairProducts.js';

/**
 * Least norm by which a row of products is divided, as in PyTorch's `normalize`, which published
 * code calls.
 */
const EPSILON = 1e-12;

/**
 * Computes the mean over pairs of rows of (Ĝ(student) − Ĝ(teacher))², where Ĝ is x · xᵀ with rows
 * of unit length. Products are in float32, if they are precise enough.
 */
export function similarityDifference(
  student: Grid,
  teacher: Grid,
  withDerivative: boolean,
): PairLoss {
  return withProducts(student, (precision) =>
    differenceOf(student, teacher, withDerivative, precision),
  );
}

/** Returns the loss; undefined if float32 products are not precise enough. */
function differenceOf(
  student: Grid,
  teacher: Grid,
  withDerivative: boolean,
  precision: Precision,
): PairLoss | undefined {
  const { rows } = student;
  const own = sideOf(student);
  const products = pairProducts(own, sideOf(teacher), precision);
  const { excess, teacher: other } = products;
  const units = unitsOf(products, rows);
  const { inverses: f, weights: w } = units;
  const x = excess.products;
  const h = other.products;
  const squares = new Float64Array(rows); // Σ of (Ĝ(student) − Ĝ(teacher))² of each row
  for (let i = 0; i < rows; i++) {
    const [fi, wi] = [f[i]!, w[i]!];
    let square = (x[i * rows + i]! * fi + h[i * rows + i]! * wi) ** 2;
    for (let j = i + 1; j < rows; j++) {
      const product = x[i * rows + j]!;
      const target = h[i * rows + j]!;
      const difference = product * fi + target * wi;
      square += difference * difference;
      const turned = product * f[j]! + target * w[j]!;
      squares[j]! += turned * turned;
    }
    squares[i]! += square;
  }
  const loss = sumOf(squares) / rows ** 2;
  if (precision === 'float32') {
    const errors = rowVariances(excess);
    const targetErrors = rowVariances(other);
    const isGood = (square: number, i: number): boolean =>
      errors[i]! * f[i]! ** 2 + targetErrors[i]! * w[i]! ** 2 <= TOLERANCE ** 2 * square;
    if (!squares.every(isGood)) return undefined;
  }
  if (!withDerivative) return { loss };
  setSlopes(products, units, squares);
  const largest = Math.sqrt(sumOf(own.squares));
  const a = grid(x, rows, rows);
  return { loss, derivative: { a, b: student, largest, precision: precisionFor(student) } };
}

/**
 * Factors of each row of Ĝ(student) − Ĝ(teacher) = inverse · excess + weight · teacher.
 */
interface Units {
  /** Norm of each row of the student's products, ‖g‖, and of the teacher's, ‖h‖. */
  readonly norms: Float64Array;
  readonly targetNorms: Float64Array;
  /** 1 / max(‖g‖, 1e-12) */
  readonly inverses: Float64Array;
  readonly weights: Float64Array;
}

function unitsOf({ excess, teacher, base }: PairProducts, rows: number): Units {
  const { products: x } = excess;
  const { products: h } = teacher;
  const norms = new Float64Array(rows);
  const targetNorms = new Float64Array(rows);
  const gains = new Float64Array(rows); // ‖g‖² − ‖h‖², computed from `excess` without cancellation
  for (let i = 0; i < rows; i++) {
    let [square, targetSquare, gain] = [0, 0, 0];
    for (let j = i; j < rows; j++) {
      const target = h[i * rows + j]!;
      const product = x[i * rows + j]! + base * target;
      const more = x[i * rows + j]! * (product + target);
      square += product * product;
      targetSquare += target * target;
      gain += more;
      if (i === j) continue;
      norms[j]! += product * product;
      targetNorms[j]! += target * target;
      gains[j]! += more;
    }
    norms[i] = normOf(norms[i]! + square, x, rows, i, base);
    targetNorms[i] = normOf(targetNorms[i]! + targetSquare, h, rows, i, 0);
    gains[i]! += gain;
  }
  const inverses = norms.map((length) => 1 / Math.max(length, EPSILON));
  const weights = targetNorms.map((targetLength, i) => {
    const inverse = 1 / Math.max(targetLength, EPSILON);
    const length = norms[i]!;
    if (base === 0 || Math.min(length, targetLength) <= EPSILON)
      return base * inverses[i]! - inverse;
    return (-gains[i]! / (length + targetLength)) * inverses[i]! * inverse;
  });
  return { norms, targetNorms, inverses, weights };
}

/**
 * Returns the norm of a row of products: the root of `square`, or computed from the row if `square`
 * has overflowed or underflowed.
 */
function normOf(
  square: number,
  products: Float64Array,
  rows: number,
  row: number,
  base: 0 | 1,
): number {
  if (base === 1 || (square > 1e-250 && square < 1e250)) return Math.sqrt(square);
  const whole = Float64Array.from({ length: rows }, (_, j) =>
    j < row ? products[j * rows + row]! : products[row * rows + j]!,
  );
  return norm(whole, 0, rows);
}

/**
 * Turns `excess` into the matrix by which the student's rows are multiplied in the derivative, in
 * place: slope + slopeᵀ for the slope d(loss) / d(product).
 *
 * @param squares - Σ of (Ĝ(student) − Ĝ(teacher))² of each row
 */
function setSlopes(
  { excess, teacher, base }: PairProducts,
  { norms, targetNorms, inverses: f, weights: w }: Units,
  squares: Float64Array,
): void {
  const { products: x } = excess;
  const { products: h } = teacher;
  const rows = f.length;
  const factors = f.map((inverse) => (2 * inverse) / rows ** 2);
  // The component of ĝ − ĥ along a row ĝ is (‖ĝ‖² − ‖ĥ‖² + ‖ĝ − ĥ‖²) / 2. It is subtracted, because
  // ĝ has unit length; a row below the least norm has a free length.
  const pulls = squares.map((square, i) => {
    if (norms[i]! <= EPSILON) return 0;
    const short = targetNorms[i]! > EPSILON ? 0 : 1 - (targetNorms[i]! / EPSILON) ** 2;
    return (f[i]! * (square + short)) / 2;
  });
  for (let i = 0; i < rows; i++) {
    const [fi, wi, factor, pull] = [f[i]!, w[i]!, factors[i]!, pulls[i]!];
    for (let j = i; j < rows; j++) {
      const part = x[i * rows + j]!;
      const target = h[i * rows + j]!;
      const product = part + base * target;
      x[i * rows + j] =
        factor * (part * fi + target * wi - pull * product) +
        factors[j]! * (part * f[j]! + target * w[j]! - pulls[j]! * product);
    }
  }
  mirror(x, rows);
}
