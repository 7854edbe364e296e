// The way through rows of numbers: where a row is read, and where its gradient goes.

import { EXCLUDED_ROW } from '../../src/engine/layout';
import {
  adds, gradient, isStaged, labelOf, putLoss, stride, student, teacher, teacherFactor, teacherStride,
  turnToTemperature, width,
} from '../shared/call';
import { splat, VECTOR } from '../shared/lanes';
import { clear, copyIn, copyOut } from '../shared/stage';
import { scratchRow } from './call';

// Rows of the workspace that are taken here; the losses have those behind them.
const OUTPUT: usize = 0;
const STUDENT_COPY: usize = 4;
const TEACHER_COPY: usize = 5;

/** Rows at hand: what is read of both sides, in whole vectors, and what is written. */
export let studentRow: usize = 0;
export let teacherRow: usize = 0;
export let outputRow: usize = 0;
/** The row of the gradient; 0 where none is wanted. */
export let gradientRow: usize = 0;

/**
 * Turns to a row; `false`, with all done, where it is excluded. `inVectors` is for losses that read
 * and write whole vectors, for which `padding` fills up a copy of the row.
 */
export function open<T>(row: i32, inVectors: bool, padding: f64): bool {
  const offset = (row as usize) * stride;
  gradientRow = gradient ? gradient + offset : 0;
  if (labelOf(row) == EXCLUDED_ROW) {
    putLoss(row, 0);
    if (gradientRow && !adds) clear(gradientRow, stride);
    return false;
  }
  studentRow = student + offset;
  teacherRow = teacher + (row as usize) * teacherStride;
  outputRow = gradientRow;
  turnToTemperature<T>(row);
  if (!inVectors) return true;
  if (isStaged) {
    copyIn<T>(studentRow, scratchRow(STUDENT_COPY), stride, width, padding);
    copyIn<T>(teacherRow, scratchRow(TEACHER_COPY), stride, width, padding);
    studentRow = scratchRow(STUDENT_COPY);
    teacherRow = scratchRow(TEACHER_COPY);
  }
  // One loop serves all: where it cannot write to the gradient, it writes beside it.
  if (!gradientRow || adds || isStaged) outputRow = scratchRow(OUTPUT);
  return true;
}

/** Multiplies the copy of the teacher's row such that it has the student's temperature. */
export function temper<T>(): void {
  const factor = teacherFactor();
  if (factor == 1) return;
  const times = splat<T>(factor);
  for (let i: usize = 0; i < width; i += VECTOR) {
    v128.store(teacherRow + i, v128.mul<T>(v128.load(teacherRow + i), times));
  }
}

/**
 * Hands over the gradient of the row, and its loss. Where that is not finite, the gradient gets
 * nothing.
 */
export function close<T>(row: i32, loss: f64): void {
  putLoss(row, loss);
  if (!gradientRow) return;
  if (!isFinite(loss)) {
    if (!adds) clear(gradientRow, stride);
  } else if (outputRow != gradientRow) {
    copyOut<T>(outputRow, gradientRow, stride, adds);
  }
}
