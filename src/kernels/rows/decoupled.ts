// Divergences of a decoupled distribution: target class against all others, and among the others.

import { logSumExp } from './logSumExp.js';
import { scoreDivergence } from './scores.js';

/**
 * One row of scores of both sides with its class. The derivative with respect to the student's
 * scores is added to `derivative`.
 */
export interface LabeledRow {
  readonly student: Float64Array;
  readonly teacher: Float64Array;
  readonly label: number;
  readonly derivative: Float64Array;
}

/** Returns weight × the loss of a row, and adds weight × its derivative to `row.derivative`. */
export type WeightedLoss = (row: LabeledRow, weight: number) => number;

/** KL([p_y, 1 − p_y] ‖ [q_y, 1 − q_y]) for the label y. */
export function targetDivergence(columns: number): WeightedLoss {
  const distance = scoreDivergence(2);
  const [others, shares] = [new Float64Array(columns - 1), new Float64Array(columns - 1)];
  const [x, y, slope] = [new Float64Array(2), new Float64Array(2), new Float64Array(2)];
  /** Writes the score of the label, and the score of all other classes together. */
  const pair = (scores: Float64Array, label: number, target: Float64Array): void => {
    leaveOut(scores, label, others);
    target[0] = scores[label]!;
    target[1] = logSumExp(others, 0, shares);
  };
  return ({ student, teacher, label, derivative }, weight) => {
    pair(teacher, label, y);
    pair(student, label, x); // last, so that `shares` holds the student's shares
    const loss = distance(x, 0, y, 0, 2, slope);
    derivative[label]! += weight * slope[0]!;
    addBack(shares, label, weight * slope[1]!, derivative);
    return weight * loss;
  };
}

/**
 * KL of the distributions over all classes but the label; 0 if the teacher rules out all of them.
 */
export function othersDivergence(columns: number): WeightedLoss {
  const distance = scoreDivergence(columns - 1);
  const scratch = (): Float64Array => new Float64Array(columns - 1);
  const [x, y, slope] = [scratch(), scratch(), scratch()];
  return ({ student, teacher, label, derivative }, weight) => {
    leaveOut(teacher, label, y);
    if (y.every((score) => score === -Infinity)) return 0;
    leaveOut(student, label, x);
    const loss = distance(x, 0, y, 0, columns - 1, slope);
    addBack(slope, label, weight, derivative);
    return weight * loss;
  };
}

/** Copies all scores but the label's. */
function leaveOut(scores: Float64Array, label: number, others: Float64Array): void {
  others.set(scores.subarray(0, label));
  others.set(scores.subarray(label + 1), label);
}

/** derivative += weight · values, for values of all classes but the label. */
function addBack(
  values: Float64Array,
  label: number,
  weight: number,
  derivative: Float64Array,
): void {
  for (let i = 0; i < values.length; i++) {
    derivative[i < label ? i : i + 1]! += weight * values[i]!;
  }
}
