// A loss of the columns of a batch in the engine: evaluated first, its derivative then beside the
// loss of each row.

import type { FloatArray } from '../../core/numeric.js';
import { align } from '../../engine/instance.js';
import { runRows } from '../../engine/rows.js';
import { type RowsCall, sizeOf } from '../../engine/rowsCall.js';

/** A loss of columns as the engine has it. */
export interface ColumnKernel {
  /**
   * The name of its exports, without the size of the numbers; in the binary of the loss of the
   * rows.
   */
  readonly name: string;
  /** What the loss of each column counts. */
  readonly weight: (columns: number) => number;
}

/** A loss of columns that was evaluated. */
export interface ColumnTerm {
  readonly loss: number;
  /**
   * What its derivative is made of, for the kernel of the rows: three means of each column, then
   * three factors.
   */
  readonly perColumn: FloatArray;
  /** What no derivative by a softened logit is beyond. */
  readonly steepest: number;
}

/**
 * weight · the loss of the columns of `count` rows, all that are not left out. `undefined` where
 * JavaScript has to compute, or look at numbers that are not finite.
 *
 * @param call - that of the rows; the derivative is a part of theirs
 */
export function evaluateColumns(
  call: RowsCall,
  name: string,
  count: number,
  weight: number,
): ColumnTerm | undefined {
  const { columns, rows } = call;
  const size = sizeOf(call);
  const lanes = align(columns * size) / size;
  const table = new Float64Array(2 + 8 * lanes);
  const kernel = { ...call.kernel, name };
  // The call of the rows takes no more memory than this one, so that it is not refused.
  const own = { ...call, kernel, perColumn: table, option: count, otherOption: weight };
  if (!runRows(own, new Float64Array(rows))) return undefined;
  const done = table[0]!;
  const loss = table[1]!;
  if (done !== count || !Number.isFinite(loss)) return undefined;
  const kept = table.subarray(2, 2 + 6 * lanes);
  // Three factors of differences of probabilities, less their mean over the classes.
  let steepest = 0;
  for (const factor of kept) steepest = Math.max(steepest, 8 * Math.abs(factor));
  return { loss, perColumn: size === 8 ? kept : Float32Array.from(kept), steepest };
}
