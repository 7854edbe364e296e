// The classes that a sparse teacher leaves out: the log of their summed exponentials, and its
// adjoint. The description of the call has the classes that the teacher kept, a row of them for
// each row.

import { EXCLUDED_ROW, KEPT, KEPT_COUNT } from '../../src/engine/layout';
import { log } from '../shared/log';
import {
  adds, begin, gradient, isStaged, labelOf, leaveOut, putLoss, scale, softWeightOf, stride, student, temperature,
  turnToTemperature, width,
} from '../shared/call';
import { addHard } from './finish';
import { hardSum, readAlone, studentMax } from './read';
import { clear, copyIn, copyOut } from '../shared/stage';
import { HARD_FACTOR, keep, outputs, SOFT_STEPS, students, turnTo } from '../shared/workspace';

/** Reads the exponentials of a row without the classes kept. The copy rules them out. */
function readTail<T>(call: usize, row: i32): void {
  turnToTemperature<T>(row);
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
 * In place of losses: log Σ e^(z / T) of the classes that are left; NaN where a logit is none, or
 * no class is left.
 */
export function readTailsOf<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  begin<T>(call, workspace);
  turnTo(0);
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
 * The gradient of a row: its soft weight times the share that each class has of the sum, and 0 for
 * the classes kept.
 */
export function spreadTailsOf<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  begin<T>(call, workspace);
  turnTo(0);
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
