// One call of a kernel on the rows of two matrices, and what it takes.

import type { FloatArray } from '../core/numeric.js';
import { align, blockBytes, type Kernel, rankBytes, workspaceBytes } from './instance.js';

/**
 * What a row counts: the weights of its soft and of its hard loss, and its label or a mark of the
 * layout.
 */
export interface RowTables {
  readonly labels: Int32Array;
  /** Two for each row. */
  readonly weights: Float64Array;
}

/**
 * One call of a kernel on all rows of two matrices. Where a table is left out, every row has its
 * soft loss once.
 */
export interface RowsCall extends Partial<RowTables> {
  readonly kernel: Kernel;
  readonly student: FloatArray;
  /** Left out for a kernel of the student alone. */
  readonly teacher?: FloatArray;
  readonly rows: number;
  readonly columns: number;
  /** Where they are not those of the student. A kernel of distributions has to rank them then. */
  readonly teacherColumns?: number;
  /** Rows of label distributions, as long as the student. */
  readonly distributions?: FloatArray | undefined;
  readonly temperature: number;
  /** One for each row, instead of the temperature. */
  readonly temperatures?: Float64Array | undefined;
  /** Where it is not the student's. */
  readonly teacherTemperature?: number | undefined;
  readonly standardizes?: boolean;
  /** Whether the kernel works on copies of the rows. */
  readonly copies?: boolean;
  readonly option?: number;
  readonly otherOption?: number;
  /** Parameters of the loss, one for each column. */
  readonly parameters?: ArrayLike<number> | undefined;
  /** The classes that a sparse teacher kept, −1 for none: their number in a row, and row by row. */
  readonly kept?: { readonly count: number; readonly indices: Int32Array };
  /** Whether the kernel ranks the classes on both sides: compares them in descending order. */
  readonly ranks?: boolean;
  /**
   * Numbers of each column, which the kernel reads or writes; the rows of the table are whole
   * vectors.
   */
  readonly perColumn?: FloatArray | undefined;
}

/**
 * Rows of up to this many columns are computed in doubles, whatever their format is: sums of few
 * numbers do not average their rounding, and short rows cost little.
 */
export const FEW_COLUMNS = 16;

/** Bytes of a number as it is computed. */
export function sizeOf({ student, columns }: RowsCall): number {
  return columns <= FEW_COLUMNS ? 8 : student.BYTES_PER_ELEMENT;
}

/** Bytes of the workspace of a call. */
export function workspaceOf(call: RowsCall): number {
  const { columns, standardizes, teacherTemperature, kept, ranks, perColumn } = call;
  const { copies = standardizes || teacherTemperature !== undefined } = call;
  const rowBytes = ranks ? widestOf(call) : columns * sizeOf(call);
  const spare = (ranks ? rankBytes(rowBytes) : 0) + (perColumn ? blockBytes(rowBytes) : 0);
  const isStaged = copies || kept !== undefined || spare > 0 || rowBytes !== align(rowBytes);
  return workspaceBytes(rowBytes, isStaged) + spare;
}

/** Bytes of a row of the student or of the teacher, whose is wider. */
export function widestOf(call: RowsCall): number {
  const { columns, teacherColumns = columns } = call;
  return Math.max(columns, teacherColumns) * sizeOf(call);
}

/**
 * Where the row of parameters stands: the last row of the workspace, which no kernel with
 * parameters writes.
 */
export function parametersBehind(workspace: number, call: RowsCall): number {
  return workspace + workspaceOf(call) - align(call.columns * sizeOf(call));
}
