// Contrastive loss: each row of the student has to recognise its own row of the teacher in the
// batch.

import { copyTransposed, type Grid } from '../products/grid.js';
import type { PairLoss } from '../products/product.js';
import { addCrossEntropy, logitRow } from '../rows/crossEntropy.js';
import { type Directions, directionAdjoint, directionsOf } from './directions.js';
import { productsWith, TOLERANCE, withProducts } from './gram.js';

/**
 * Computes the mean over i of −log(exp(cos(sᵢ, tᵢ) / τ) / Σ_j exp(cos(sᵢ, tⱼ) / τ)) for rows s of
 * the student and t of the teacher. If `symmetric`, the result is averaged with the same loss in
 * which s and t are swapped. The cosine of a row of zeros is 0, with derivative 0.
 */
export function contrast(
  student: Grid,
  teacher: Grid,
  temperature: number,
  symmetric: boolean,
  withDerivative: boolean,
): PairLoss {
  return withProducts(student, (precision) => {
    const own = directionsOf(student, 0, precision);
    const other = directionsOf(teacher, 0, precision);
    const { products: logits, error } = productsWith(own, other, precision);
    // The absolute error of a logit, an exponent, is the relative error of a probability.
    if (precision === 'float32' && !(error <= 2 * TOLERANCE * temperature)) return undefined;
    toLogits(logits, own, other, temperature);
    return contrastOf(logits, own, other, { temperature, symmetric, withDerivative });
  });
}

/** Turns products of rows into cosines / τ, in place. */
function toLogits(
  products: Float64Array,
  { factors }: Directions,
  { factors: others }: Directions,
  temperature: number,
): void {
  const columns = others.map((factor) => factor / temperature);
  for (let i = 0; i < factors.length; i++) {
    const factor = factors[i]!;
    const from = i * columns.length;
    for (let j = 0; j < columns.length; j++) products[from + j]! *= factor * columns[j]!;
  }
}

interface ContrastOptions {
  readonly temperature: number;
  readonly symmetric: boolean;
  readonly withDerivative: boolean;
}

function contrastOf(
  logits: Float64Array,
  own: Directions,
  other: Directions,
  { temperature, symmetric, withDerivative }: ContrastOptions,
): PairLoss {
  const rows = own.factors.length;
  const slopes = new Float64Array(rows * rows);
  let loss = addCrossEntropies(logits, rows, slopes);
  if (symmetric) {
    const across = transposed(slopes, rows);
    loss = (loss + addCrossEntropies(transposed(logits, rows), rows, across)) / 2;
    slopes.set(transposed(across, rows));
  }
  if (!withDerivative) return { loss };
  const share = symmetric ? 0.5 : 1;
  const alongs = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const factor = (share * own.factors[i]!) / temperature;
    let along = 0;
    for (let j = 0; j < rows; j++) {
      const slope = slopes[i * rows + j]!;
      // Logits for cosines: the factor 1 / τ is in the slope.
      along += slope * logits[i * rows + j]!;
      slopes[i * rows + j] = slope * factor * other.factors[j]!;
    }
    alongs[i] = share * along;
  }
  return { loss, derivative: directionAdjoint(own, other, slopes, alongs) };
}

/**
 * Returns the mean over rows of the cross-entropy of the logits, with class i for row i; adds its
 * derivative to `derivative`.
 */
function addCrossEntropies(logits: Float64Array, rows: number, derivative: Float64Array): number {
  const exponentials = new Float64Array(rows);
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    const row = logitRow(logits, i * rows, exponentials);
    sum += addCrossEntropy(row, i, 1 / rows, derivative.subarray(i * rows, (i + 1) * rows));
  }
  return sum;
}

function transposed(square: Float64Array, size: number): Float64Array {
  const result = new Float64Array(square.length);
  copyTransposed(square, 0, size, size, result, 0);
  return result;
}
