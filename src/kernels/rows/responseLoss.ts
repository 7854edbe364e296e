// The response loss of a batch: its rows go to the kernel that was chosen.

import { put, type Target } from '../../engine/target.js';
import type { RowLabel } from './crossEntropy.js';
import {
  type ResponseRows,
  type ResponseScratch,
  responseOfRow,
  responseScratch,
} from './response.js';
import { responseOfRows } from './responseSimd.js';

/** Takes the derivative of a row. */
export type AddRow = (row: number, derivative: Float64Array) => void;

/**
 * The sum of the losses of the rows; see {@link responseOfRow} for the formula. Their gradient goes to the target, or
 * row by row to a function that adds it up; or there is none.
 */
export function responseLoss(call: ResponseRows, output: Target | AddRow | undefined): number {
  const { student, teacher, columns, rows, classes, distributions } = call;
  let scratch: ResponseScratch | undefined; // few calls need it
  const takeRow = (row: number): number => {
    scratch ??= responseScratch(columns);
    const offset = row * columns;
    const label: RowLabel = distributions
      ? { values: distributions, offset }
      : (classes?.[row] ?? -1);
    const loss = responseOfRow(student, teacher, offset, label, call, scratch);
    if (typeof output === 'function') output(row, scratch.derivative);
    else if (output) put(output, offset, scratch.derivative);
    return loss;
  };
  if (typeof output !== 'function' && distributions === undefined) {
    const total = responseOfRows(call, output, takeRow);
    if (total !== undefined) return total;
  }
  let sum = 0;
  for (const row of rows) sum += takeRow(row);
  return sum;
}
