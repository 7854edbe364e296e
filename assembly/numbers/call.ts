// Parts of a call that only losses of rows of numbers use.

import {
  BATCH_ROWS, CONSTANT_BYTES, OPTION, OTHER_OPTION, PARAMETERS, PATCH_BYTES, RECORD_BYTES,
} from '../../src/engine/layout';
import { begin, softWeightOf, scale, width } from '../shared/call';
import { keep } from '../shared/workspace';

// Offsets of constants, behind the constants of losses of distributions.
/** Factor of the slopes of a row in its gradient. */
export const FACTOR: usize = 200;
/**
 * Elements that have this value on both sides are left out. NaN, which equals no value, leaves none
 * out.
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

/** Address of the parameters of the loss, one for each column. */
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
 * Returns the address of a row of the workspace. There are 4 rows, or 7 if rows of the matrix are
 * copied or are not whole vectors.
 */
export function scratchRow(index: usize): usize {
  return rows + index * width;
}

/** Returns the factor of the derivative of a row. */
@inline
export function factorOf(row: i32): f64 {
  return softWeightOf(row) * scale;
}
