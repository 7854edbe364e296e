// A loss of the columns of a batch in the engine. It is evaluated before the rows, because the
// kernel of the rows adds its derivative to the derivative of each row.

import type { FloatArray } from '../../core/numeric.js';
import { align } from '../../engine/instance.js';
import { runRows } from '../../engine/rows.js';
import { type RowsCall, sizeOf } from '../../engine/rowsCall.js';

/** A loss of columns as the engine has it. */
export interface ColumnKernel {
  /** Name of the exports without the dtype; they are in the binary of the rows' kernel. */
  readonly name: string;
  /** The weight of the loss of each column. */
  readonly weight: (columns: number) => number;
}

/** The value of a loss of columns, and the table for its derivative. */
export interface ColumnTerm {
  readonly loss: number;
  /** Table for the kernel of the rows: three means of each column, then three factors. */
  readonly perColumn: FloatArray;
  /** Bound on the absolute derivative by a softened logit. */
  readonly steepest: number;
}

/**
 * Evaluates weight · the loss of the columns over all kept rows. Returns `undefined` if JavaScript
 * has to compute, or to look for an element that is not finite.
 *
 * @param call - the call of the rows, which adds the derivative of the columns to its own
 * @param count - number of kept rows
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
  // The call of the rows needs no more memory than this call: if this one fits, that one does too.
  const columnsCall = { ...call, kernel, perColumn: table, option: count, otherOption: weight };
  if (!runRows(columnsCall, new Float64Array(rows))) return undefined;
  const done = table[0]!;
  const loss = table[1]!;
  if (done !== count || !Number.isFinite(loss)) return undefined;
  const terms = table.subarray(2, 2 + 6 * lanes);
  // The derivative is three factors times differences of probabilities, minus their mean.
  let steepest = 0;
  for (const factor of terms) steepest = Math.max(steepest, 8 * Math.abs(factor));
  return { loss, perColumn: size === 8 ? terms : Float32Array.from(terms), steepest };
}
