// What the losses of rows of numbers need of a call beside what rows of distributions do.

import {
  BATCH_ROWS, CONSTANT_BYTES, OPTION, OTHER_OPTION, PARAMETERS, PATCH_BYTES, RECORD_BYTES,
} from '../../src/engine/layout';
import { begin, softWeightOf, scale, width } from '../shared/call';
import { keep } from '../shared/workspace';

// Places of constants, behind those of the distributions.
/** What turns the slopes of a row into its gradient. */
export const FACTOR: usize = 200;
/**
 * Entries that hold this on both sides are left out; a NaN, which equals nothing, where all count.
 */
export const RULED_OUT: usize = 208;
/** The option of a loss, and its negative. */
export const LIMIT: usize = 216;
export const MINUS_LIMIT: usize = 224;
export const RATIO: usize = 232;
export const EXCESS: usize = 240;
export const ROW_FACTOR: usize = 248;
export const SIGN: usize = 256;
export const LARGE: usize = 264;

/** Parameters of the loss, for the columns of a row. */
export let parameters: usize = 0;

let rows: usize = 0;

export function beginNumbers<T>(call: usize, workspace: usize): void {
  begin<T>(call, workspace);
  parameters = load<usize>(call, PARAMETERS);
  rows = workspace + CONSTANT_BYTES + BATCH_ROWS * RECORD_BYTES + PATCH_BYTES;
  keep<T>(RULED_OUT, load<f64>(call, OTHER_OPTION));
  keep<T>(LIMIT, load<f64>(call, OPTION));
  keep<T>(MINUS_LIMIT, -load<f64>(call, OPTION));
  keep<T>(SIGN, -0.0);
  keep<T>(LARGE, 1e30);
}

/**
 * A row of the workspace: there are 4 of whole vectors, and 7 where a row of the matrix is not, or
 * is copied.
 */
export function scratchRow(index: usize): usize {
  return rows + index * width;
}

/** What the derivative of a row is multiplied by. */
@inline
export function factorOf(row: i32): f64 {
  return softWeightOf(row) * scale;
}
