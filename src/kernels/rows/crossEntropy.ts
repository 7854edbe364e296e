import type { FloatArray } from '../../core/numeric.js';
import { addScaled } from './addScaled.js';
import { exponentials } from './exp.js';
import { largest } from './softmax.js';

/**
 * True label of a row: a class index, or a distribution that starts at an offset of `values`.
 */
export type RowLabel = number | { readonly values: FloatArray; readonly offset: number };

/**
 * Computes the loss of a row of logits, which starts at an offset, with its label. Returns weight ×
 * loss and adds weight × derivative to `derivative`.
 */
export type HardLoss = (
  student: FloatArray,
  offset: number,
  label: RowLabel,
  weight: number,
  derivative: Float64Array,
) => number;

/** Loss −Σ label · log softmax(student). */
export function softmaxCrossEntropy(columns: number): HardLoss {
  const e = new Float64Array(columns);
  return (student, offset, label, weight, derivative) =>
    addCrossEntropy(logitRow(student, offset, e), label, weight, derivative);
}

/**
 * A row of logits with its largest logit `max`, its exponentials exp(logit − max) and their sum.
 */
export interface LogitRow {
  readonly student: FloatArray;
  readonly offset: number;
  readonly max: number;
  readonly e: Float64Array;
  readonly sum: number;
}

/** Prepares a row for {@link addCrossEntropy}; writes the exponentials to `e`. */
export function logitRow(student: FloatArray, offset: number, e: Float64Array): LogitRow {
  const max = largest(student, offset, e.length);
  return { student, offset, max, e, sum: exponentials(student, offset, max, e) };
}

/**
 * Returns −weight · Σ label · log softmax(student) and adds its derivative to `derivative`.
 * Overwrites the exponentials.
 */
export function addCrossEntropy(
  { student, offset, max, e, sum }: LogitRow,
  label: RowLabel,
  weight: number,
  derivative: Float64Array,
): number {
  const columns = e.length;
  if (typeof label === 'number') {
    const own = e[label]!;
    const height = student[offset + label]! - max;
    e[label] = 0;
    // sum − own would cancel if the label has most of the sum.
    const rest = own > sum / 2 ? sumOf(e) : sum - own;
    e[label] = -rest; // own − sum
    addScaled(derivative, 0, e, columns, weight / sum);
    return weight * (rest < own ? Math.log1p(rest / own) : Math.log(sum) - height);
  }
  const { values, offset: start } = label;
  const logSum = Math.log(sum);
  let crossEntropy = 0;
  let mass = 0;
  for (let j = 0; j < columns; j++) {
    const y = values[start + j]!;
    if (y === 0) continue; // the logit may be −Infinity
    mass += y;
    crossEntropy += y * (logSum - (student[offset + j]! - max));
    derivative[j]! -= weight * y;
  }
  addScaled(derivative, 0, e, columns, (weight * mass) / sum);
  return weight * crossEntropy;
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < values.length; j++) sum += values[j]!;
  return sum;
}
