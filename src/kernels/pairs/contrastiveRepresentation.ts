// Noise-contrastive estimation: each row of a batch has to tell the memory vector of its own sample
// from the vectors of other samples.

import type { Grid } from '../products/grid.js';
import { addScaled } from '../rows/addScaled.js';
import { logSumExp } from '../rows/logSumExp.js';
import { sigmoid, softplus } from '../rows/softplus.js';

/** Addend of denominators, as in the authors' code. */
const EPSILON = 1e-7;

/** Rows of a batch that are the anchors, and their weights. */
export interface ContrastRows {
  readonly rows: readonly number[];
  readonly rowWeights?: Float64Array | undefined;
  /** Takes the loss of each row. */
  readonly rowLosses?: { add(row: number, loss: number): void } | undefined;
}

/** Memory vectors with which rows are contrasted. */
export interface Contrast extends ContrastRows {
  /** One vector, a row, for each sample. */
  readonly bank: Grid;
  /** Samples for each row of a batch, `count` each: its own sample first, then others. */
  readonly entries: Int32Array;
  readonly count: number;
  readonly temperature: number;
}

/**
 * Computes the weighted mean over rows of −log(x₀ / (x₀ + c + 1e-7)) − Σ_{j ≥ 1} log(c / (xⱼ + c +
 * 1e-7)). Here xⱼ = exp(anchor · vector j / τ) / Z, vector 0 belongs to the row's own sample, and c
 * = (count − 1) / number of samples.
 *
 * @param slope - zeros, to be written with the derivative with respect to the anchors
 */
export function noiseContrast(
  anchors: Grid,
  contrast: Contrast,
  logNormalizer: number,
  slope: Float64Array | undefined,
): number {
  const { bank, entries, count, rows, rowWeights, rowLosses, temperature } = contrast;
  const noise = (count - 1) / bank.rows;
  const level = Math.log(noise + EPSILON);
  const { columns } = anchors;
  const logits = new Float64Array(count);
  let sum = 0;
  for (const [i, row] of rows.entries()) {
    similarities(anchors, i, contrast, logits);
    const rowWeight = rowWeights?.[row] ?? 1;
    // The constant part of the terms of the other samples: log((c + 1e-7) / c).
    let loss = (count - 1) * Math.log1p(EPSILON / noise);
    for (let j = 0; j < count; j++) {
      const sign = j === 0 ? -1 : 1;
      const d = sign * (logits[j]! - logNormalizer - level);
      // log((x₀ + c + 1e-7) / x₀) for j = 0, log((xⱼ + c + 1e-7) / (c + 1e-7)) for j ≥ 1
      loss += softplus(d);
      if (!slope) continue;
      const weight = (rowWeight * sign * sigmoid(d)) / (temperature * rows.length);
      const from = entries[row * count + j]! * columns;
      addScaled(slope, i * columns, bank.data.subarray(from, from + columns), columns, weight);
    }
    sum += rowWeight * loss;
    rowLosses?.add(row, loss);
  }
  return sum / rows.length;
}

/** Returns the log Z for which the mean of x over these rows and their vectors is 1 / samples. */
export function logNormalizer(anchors: Grid, contrast: Contrast): number {
  const { bank, count, rows } = contrast;
  const logits = new Float64Array(count);
  const shares = new Float64Array(count);
  const logSums = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    similarities(anchors, i, contrast, logits);
    logSums[i] = logSumExp(logits, 0, shares);
  }
  const mean = logSumExp(logSums, 0, new Float64Array(rows.length)) - Math.log(rows.length * count);
  return mean + Math.log(bank.rows);
}

/** Writes anchor · vector / τ for each vector of a row. */
function similarities(anchors: Grid, i: number, contrast: Contrast, result: Float64Array): void {
  const { bank, entries, count, rows, temperature } = contrast;
  const { data, columns } = anchors;
  for (let j = 0; j < count; j++) {
    const from = entries[rows[i]! * count + j]! * columns;
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += data[i * columns + k]! * bank.data[from + k]!;
    result[j] = sum / temperature;
  }
}
