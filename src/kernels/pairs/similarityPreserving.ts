import { type Grid, grid } from '../products/grid.js';
import type { Derivative } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { norm } from '../rows/distance.js';
import {
  mirror,
  type Products,
  precisionFor,
  productsOf,
  TOLERANCE,
  withProducts,
} from './gram.js';

/** The floor of the norms of rows of products, as in PyTorch's `normalize`, which published code calls. */
const EPSILON = 1e-12;

interface Difference {
  readonly loss: number;
  readonly derivative?: Derivative;
}

/**
 * The mean over pairs of rows of (Ĝ(student) − Ĝ(teacher))², where Ĝ is x · xᵀ with its rows at unit length. Float32
 * products are used unless student and teacher are so close that the errors of the products show.
 */
export function similarityDifference(student: Grid, teacher: Grid, wanted: boolean): Difference {
  return withProducts(student, (precision) => differenceOf(student, teacher, wanted, precision));
}

/** Undefined where float32 products are not precise enough. */
function differenceOf(
  student: Grid,
  teacher: Grid,
  wanted: boolean,
  precision: Precision,
): Difference | undefined {
  const { rows } = student;
  const own = similarities(productsOf(student, precision), rows);
  const other = similarities(productsOf(teacher, precision), rows);
  const squares = new Float64Array(rows); // Σ of (Ĝ(student) − Ĝ(teacher))² of each row
  const alongs = new Float64Array(rows); // Σ of Ĝ(student) (Ĝ(student) − Ĝ(teacher)) of each row
  const { products: g, inverses: f } = own;
  const { products: h, inverses: e } = other;
  for (let i = 0; i < rows; i++) {
    const [fi, ei] = [f[i]!, e[i]!];
    const u = g[i * rows + i]! * fi - h[i * rows + i]! * ei;
    let square = u * u;
    let along = u * g[i * rows + i]! * fi;
    for (let j = i + 1; j < rows; j++) {
      const product = g[i * rows + j]!;
      const target = h[i * rows + j]!;
      const similarity = product * fi;
      const difference = similarity - target * ei;
      square += difference * difference;
      along += similarity * difference;
      const turned = product * f[j]!;
      const turnedDifference = turned - target * e[j]!;
      squares[j]! += turnedDifference * turnedDifference;
      alongs[j]! += turned * turnedDifference;
    }
    squares[i]! += square;
    alongs[i]! += along;
  }
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    sum += squares[i]!;
    const error = (own.errors[i]! + other.errors[i]!) / TOLERANCE ** 2;
    if (precision === 'float32' && !(error <= squares[i]!)) return undefined;
  }
  const loss = sum / rows ** 2;
  if (!wanted) return { loss };
  const largest = Math.sqrt(own.trace);
  setSlopes(own, other, alongs);
  const a = grid(g, rows, rows);
  return { loss, derivative: { a, b: student, largest, precision: precisionFor(student) } };
}

/** The products of rows, and what makes similarities of them. */
interface Similarities {
  readonly products: Float64Array;
  /** 1 / max(‖g‖, 1e-12) for each row g of the products. */
  readonly inverses: Float64Array;
  /** Whether the floor holds for a row, so that the inverse is a constant. */
  readonly isFloored: readonly boolean[];
  /** Square of what the errors of a row of products come to, at unit length. */
  readonly errors: Float64Array;
  /** Σ ‖xᵢ‖² */
  readonly trace: number;
}

function similarities({ products, error }: Products, rows: number): Similarities {
  const squares = new Float64Array(rows);
  let trace = 0;
  for (let i = 0; i < rows; i++) {
    const own = products[i * rows + i]!;
    trace += own;
    let square = own * own;
    for (let j = i + 1; j < rows; j++) {
      const term = products[i * rows + j]! * products[i * rows + j]!;
      square += term;
      squares[j]! += term;
    }
    squares[i]! += square;
  }
  const norms = squares.map((square, i) =>
    square > 1e-250 && square < 1e250 ? Math.sqrt(square) : normOf(products, rows, i),
  );
  const inverses = norms.map((length) => 1 / Math.max(length, EPSILON));
  // The errors of a row are relative to ‖xᵢ‖ and to the length of each row xⱼ.
  const errors = inverses.map(
    (inverse, i) => products[i * rows + i]! * trace * (error * inverse) ** 2,
  );
  const isFloored = Array.from(norms, (length) => length <= EPSILON);
  return { products, inverses, isFloored, errors, trace };
}

/** The norm of a row of products whose squares are too large or too small to add up. */
function normOf(products: Float64Array, rows: number, row: number): number {
  const whole = Float64Array.from({ length: rows }, (_, j) =>
    j < row ? products[j * rows + row]! : products[row * rows + j]!,
  );
  return norm(whole, 0, rows);
}

/**
 * The products become what the student's rows are to be multiplied by: the slope of the loss by each product plus that
 * by its mirror image.
 */
function setSlopes(own: Similarities, other: Similarities, alongs: Float64Array): void {
  const { products: g, inverses: f, isFloored } = own;
  const { products: h, inverses: e } = other;
  const rows = f.length;
  const factors = f.map((inverse) => (2 * inverse) / rows ** 2);
  const pulls = alongs.map((along, i) => (isFloored[i] ? 0 : along * f[i]!));
  for (let i = 0; i < rows; i++) {
    const [fi, ei, factor, pull] = [f[i]!, e[i]!, factors[i]!, pulls[i]!];
    for (let j = i; j < rows; j++) {
      const product = g[i * rows + j]!;
      const target = h[i * rows + j]!;
      g[i * rows + j] =
        factor * (product * fi - target * ei - pull * product) +
        factors[j]! * (product * f[j]! - target * e[j]! - pulls[j]! * product);
    }
  }
  mirror(g, rows);
}
