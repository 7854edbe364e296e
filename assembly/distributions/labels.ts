// Losses of labels alone: the cross-entropy at temperature 1. The soft loss is computed elsewhere.

import { DISTRIBUTION_ROW, EXCLUDED_ROW } from '../../src/engine/layout';
import { VECTOR } from '../shared/lanes';
import { log, logBeside } from '../shared/log';
import {
  adds, begin, columns, distributions, gradient, hardWeightOf, isStaged, labelOf, leaveOut, putLoss, scale, stride, student,
  width,
} from '../shared/call';
import {
  distributionLoss, hardLoss, hardRest, hardTotal, labelLoss, logged, loggedAbove, mass, subtractLabels, weighLabel,
} from './hard';
import { hardSum, readAlone } from './read';
import { copyIn, copyOut } from '../shared/stage';
import { HARD_FACTOR, HARD_STEPS, hards, keep, outputs, students, take, selectRow } from '../shared/workspace';

/** gradient = HARD_FACTOR · hard, or gradient += HARD_FACTOR · hard if `adds`. */
function write<T>(to: usize, width: usize, adds: bool): void {
  const factor = take<T>(HARD_FACTOR);
  const from = hards;
  for (let i: usize = 0; i < width; i += VECTOR) {
    const value = v128.mul<T>(v128.load(from + i), factor);
    v128.store(to + i, adds ? v128.add<T>(value, v128.load(to + i)) : value);
  }
}

/** Computes hard loss and gradient of the rows from `first` on; the soft weights are not read. */
export function labelRowsOf<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  begin<T>(call, workspace);
  selectRow(0);
  for (let row = first; row < first + count; row++) {
    const weight = hardWeightOf(row);
    const label = labelOf(row);
    if (label == EXCLUDED_ROW || weight == 0) {
      leaveOut(row, 0);
      continue;
    }
    const raw = student + (row as usize) * stride;
    const labelRow = distributions + (row as usize) * stride;
    const s = isStaged ? students : raw;
    if (isStaged) copyIn<T>(raw, s, stride, width, -Infinity);
    readAlone<T>(s, width, HARD_STEPS);
    let factor = weight * scale;
    if (label == DISTRIBUTION_ROW) {
      distributionLoss<T>(raw, labelRow, columns, log(hardSum));
      factor *= mass / hardSum;
    } else {
      weighLabel<T>(label, width);
      labelLoss<T>(raw, label, logBeside(logged, loggedAbove));
      factor /= hardTotal;
    }
    const loss = weight * hardLoss;
    if (!isFinite(loss)) {
      leaveOut(row, loss);
      continue;
    }
    putLoss(row, loss);
    if (gradient == 0) continue;
    const output = gradient + (row as usize) * stride;
    const to = isStaged ? outputs : output;
    const isAdded = adds && !isStaged;
    const place = label >= 0 ? (label as usize) * sizeof<T>() : 0;
    const before = isAdded ? (load<T>(to + place) as f64) : 0;
    keep<T>(HARD_FACTOR, factor);
    write<T>(to, width, isAdded);
    if (label == DISTRIBUTION_ROW) subtractLabels<T>(labelRow, to, columns, weight * scale);
    else store<T>(to + place, (before - factor * hardRest) as T);
    if (isStaged) copyOut<T>(to, output, stride, adds);
  }
}
