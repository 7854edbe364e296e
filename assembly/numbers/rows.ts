// Opens and closes rows of numbers: the addresses from which a row is read and to which its
// gradient is written.

import { EXCLUDED_ROW } from '../../src/engine/layout';
import {
  adds, gradient, isStaged, labelOf, putLoss, stride, student, teacher, teacherFactor, teacherStride,
  selectTemperature, width,
} from '../shared/call';
import { splat, VECTOR } from '../shared/lanes';
import { clear, copyIn, copyOut } from '../shared/stage';
import { scratchRow } from './call';

// Rows of the workspace that this file uses; losses use the others.
const OUTPUT: usize = 0;
const STUDENT_COPY: usize = 4;
const TEACHER_COPY: usize = 5;

/** Addresses of the current row of both sides, in whole vectors, and of its output. */
export let studentRow: usize = 0;
export let teacherRow: usize = 0;
export let outputRow: usize = 0;
/** Address of the row of the gradient; 0 if no gradient is wanted. */
export let gradientRow: usize = 0;

/**
 * Opens a row; returns false for an excluded row, whose loss and gradient are then written. With
 * `inVectors`, for losses that read and write whole vectors, a copy of the row is padded with
 * `padding`.
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
  selectTemperature<T>(row);
  if (!inVectors) return true;
  if (isStaged) {
    copyIn<T>(studentRow, scratchRow(STUDENT_COPY), stride, width, padding);
    copyIn<T>(teacherRow, scratchRow(TEACHER_COPY), stride, width, padding);
    studentRow = scratchRow(STUDENT_COPY);
    teacherRow = scratchRow(TEACHER_COPY);
  }
  // Losses overwrite their output in whole vectors: if they cannot do so in the gradient, they
  // write to the workspace.
  if (!gradientRow || adds || isStaged) outputRow = scratchRow(OUTPUT);
  return true;
}

/** Scales the copy of the teacher's row to the student's temperature. */
export function temper<T>(): void {
  const factor = teacherFactor();
  if (factor == 1) return;
  const times = splat<T>(factor);
  for (let i: usize = 0; i < width; i += VECTOR) {
    v128.store(teacherRow + i, v128.mul<T>(v128.load(teacherRow + i), times));
  }
}

/**
 * Closes a row: writes its loss and its gradient. If the loss is not finite, the gradient of the
 * row is 0.
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
