// The tail of a sparse teacher, the classes that it leaves out: the log of their summed
// exponentials, and its adjoint. The description of the call has the classes that the teacher keeps
// in each row.

import { EXCLUDED_ROW, KEPT, KEPT_COUNT } from '../../src/engine/layout';
import { log } from '../shared/log';
import {
  adds, begin, gradient, isStaged, labelOf, leaveOut, putLoss, scale, softWeightOf, stride, student, temperature,
  selectTemperature, width,
} from '../shared/call';
import { addHard } from './finish';
import { hardSum, readAlone, studentMax } from './read';
import { clear, copyIn, copyOut } from '../shared/stage';
import { HARD_FACTOR, keep, outputs, SOFT_STEPS, students, selectRow } from '../shared/workspace';

/** Reads the exponentials of the tail of a row, from a copy that rules out the kept classes. */
function readTail<T>(call: usize, row: i32): void {
  selectTemperature<T>(row);
  copyIn<T>(student + (row as usize) * stride, students, stride, width, -Infinity);
  const count = load<i32>(call, KEPT_COUNT);
  const kept = load<usize>(call, KEPT) + 4 * (row as usize) * (count as usize);
  for (let i = 0; i < count; i++) {
    const index = load<i32>(kept + 4 * (i as usize));
    if (index < 0) continue; // NO_CLASS
    store<T>(students + (index as usize) * sizeof<T>(), -Infinity as T);
  }
  readAlone<T>(students, width, SOFT_STEPS);
}

/**
 * Writes log Σ e^(z / T) of the tail of each row to the table of losses; NaN if a logit is NaN, or
 * if the tail has no allowed class.
 */
export function readTailsOf<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  begin<T>(call, workspace);
  selectRow(0);
  for (let row = first; row < first + count; row++) {
    if (labelOf(row) == EXCLUDED_ROW) {
      putLoss(row, 0);
      continue;
    }
    readTail<T>(call, row);
    putLoss(row, studentMax / temperature + log(hardSum));
  }
}

/**
 * Writes the gradient of each row: its soft weight times the share of each class in the tail, and 0
 * for kept classes.
 */
export function spreadTailsOf<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  begin<T>(call, workspace);
  selectRow(0);
  for (let row = first; row < first + count; row++) {
    const weight = softWeightOf(row) * scale;
    leaveOut(row, 0);
    if (labelOf(row) == EXCLUDED_ROW || weight == 0) continue;
    readTail<T>(call, row);
    keep<T>(HARD_FACTOR, weight / hardSum);
    const output = gradient + (row as usize) * stride;
    if (isStaged) {
      clear(outputs, width);
      addHard<T>(outputs, width);
      copyOut<T>(outputs, output, stride, adds);
    } else {
      addHard<T>(output, width);
    }
  }
}
