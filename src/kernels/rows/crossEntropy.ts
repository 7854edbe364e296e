import type { FloatArray } from '../../core/numeric.js';
import { addScaled } from './addScaled.js';
import { exponentials } from './exp.js';
import { largest } from './softmax.js';

/**
 * The true label of a row: a class; or a distribution, which starts at an offset and has an entry
 * for each logit.
 */
export type RowLabel = number | { readonly values: FloatArray; readonly offset: number };

/**
 * The loss of the logits of a row from an offset on with its label: returns weight × the loss, and
 * adds weight × its derivative to `derivative`.
 */
export type HardLoss = (
  student: FloatArray,
  offset: number,
  label: RowLabel,
  weight: number,
  derivative: Float64Array,
) => number;

/** −Σ label · log softmax(student) for rows of this many logits. */
export function softmaxCrossEntropy(columns: number): HardLoss {
  const e = new Float64Array(columns);
  return (student, offset, label, weight, derivative) =>
    addCrossEntropy(logitRow(student, offset, e), label, weight, derivative);
}

/**
 * A row of logits from an offset on, its largest, and its exponentials below that with their sum.
 */
export interface LogitRow {
  readonly student: FloatArray;
  readonly offset: number;
  readonly max: number;
  readonly e: Float64Array;
  readonly sum: number;
}

/** A row as {@link addCrossEntropy} takes it, its exponentials in `e`. */
export function logitRow(student: FloatArray, offset: number, e: Float64Array): LogitRow {
  const max = largest(student, offset, e.length);
  return { student, offset, max, e, sum: exponentials(student, offset, max, e) };
}

/**
 * weight · −Σ label · log softmax(student), at temperature 1; derivative += its derivative. Uses up
 * the exponentials.
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
    // Where the label has most of it, the difference would have no digits left.
    const rest = own > sum / 2 ? sumOf(e) : sum - own;
    e[label] = -rest; // own − Σ
    addScaled(derivative, 0, e, columns, weight / sum);
    return weight * (rest < own ? Math.log1p(rest / own) : Math.log(sum) - height);
  }
  const { values, offset: start } = label;
  const logSum = Math.log(sum);
  let crossEntropy = 0;
  let mass = 0;
  for (let j = 0; j < columns; j++) {
    const y = values[start + j]!;
    if (y === 0) continue; // whatever the logit
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
