import type { FloatArray } from '../../core/numeric.js';
import { logSumExp } from './logSumExp.js';
import { soften } from './soften.js';
import { softmax } from './softmax.js';

/** Rows of logits with a weight > 0. */
export interface WeightedRows {
  readonly data: FloatArray;
  readonly weight: number;
}

/** Writes the average of the rows that start at an offset. */
export type RowAverage = (offset: number, average: Float64Array) => void;

/** Σ weight · z. */
export function meanLogits(parts: readonly WeightedRows[]): RowAverage {
  return (offset, average) => {
    average.fill(0);
    for (const { data, weight } of parts) {
      for (let j = 0; j < average.length; j++) average[j]! += weight * data[offset + j]!;
    }
  };
}

/** T · log Σ weight · softmax(z / T). */
export function mixtureLogits(
  parts: readonly WeightedRows[],
  temperature: number,
  columns: number,
): RowAverage {
  const count = parts.length;
  const x = new Float64Array(columns);
  const log = new Float64Array(columns);
  const probability = new Float64Array(columns);
  const terms = new Float64Array(columns * count); // [columns][parts]
  const shares = new Float64Array(count);
  return (offset, average) => {
    for (const [i, { data, weight }] of parts.entries()) {
      soften(data, offset, temperature, x);
      softmax(x, 0, columns, log, probability);
      const logWeight = Math.log(weight);
      for (let j = 0; j < columns; j++) terms[j * count + i] = logWeight + log[j]!;
    }
    for (let j = 0; j < columns; j++) {
      average[j] = temperature * logSumExp(terms, j * count, shares);
    }
  };
}
