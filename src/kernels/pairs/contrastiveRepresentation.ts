// Whether an entry of a memory is of the same sample: rows against the entries of all samples, by
// noise-contrastive estimation.

import type { Grid } from '../products/grid.js';
import { addScaled } from '../rows/addScaled.js';
import { logSumExp } from '../rows/logSumExp.js';
import { sigmoid, softplus } from '../rows/softplus.js';

/** What is added to denominators, as in the authors' code. */
const EPSILON = 1e-7;

/** Which rows of a batch the anchors are, and what each counts. */
export interface ContrastRows {
  readonly rows: readonly number[];
  readonly rowWeights?: Float64Array | undefined;
  /** Where the loss of each row goes. */
  readonly rowLosses?: { add(row: number, loss: number): void } | undefined;
}

/** What rows are contrasted with. */
export interface Contrast extends ContrastRows {
  /** One entry a sample. */
  readonly bank: Grid;
  /** The entries of each row of a batch: its own first, then those of other samples. */
  readonly entries: Int32Array;
  readonly count: number;
  readonly temperature: number;
}

/**
 * Mean over rows, each times its weight, of −log(x₀ / (x₀ + c + 1e-7)) − Σ over the others of log(c
 * / (x + c + 1e-7)), x = exp(anchor · entry / τ) / Z and c the number of the others by that of
 * samples. Where `slope` is given, as zeros, it is written with the derivative by the anchors.
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
    // Of the others, log((c + 1e-7) / c) is left.
    let loss = (count - 1) * Math.log1p(EPSILON / noise);
    for (let j = 0; j < count; j++) {
      const sign = j === 0 ? -1 : 1;
      const d = sign * (logits[j]! - logNormalizer - level);
      loss += softplus(d); // log((x + c + 1e-7) / (c + 1e-7)), of the first log((x + c + 1e-7) / x)
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

/** log Z, with which x is 1 / samples in the mean over these rows and their entries. */
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

/** anchor · entry / τ for each entry of a row. */
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
