// Arguments of a call of a kernel on the rows of two matrices, and the size of its workspace.

import type { FloatArray } from '../core/numeric.js';
import { align, blockBytes, type Kernel, rankBytes, workspaceBytes } from './instance.js';

/**
 * Labels and weights of rows.
 */
export interface RowTables {
  /** Class of each row, or one of the marks of the layout such as EXCLUDED_ROW. */
  readonly labels: Int32Array;
  /** Two numbers for each row: the weight of its soft loss, then of its hard loss. */
  readonly weights: Float64Array;
}

/**
 * Arguments of a call of a kernel on all rows of two matrices. Without labels every row is
 * unlabelled; without weights every soft loss has weight 1.
 */
export interface RowsCall extends Partial<RowTables> {
  readonly kernel: Kernel;
  readonly student: FloatArray;
  /** Left out for a kernel that reads the student alone. */
  readonly teacher?: FloatArray;
  readonly rows: number;
  readonly columns: number;
  /**
   * Number of columns of the teacher, if it differs from the student's. A kernel of distributions
   * then has to rank them.
   */
  readonly teacherColumns?: number;
  /** Label distributions, in the student's shape. */
  readonly distributions?: FloatArray | undefined;
  readonly temperature: number;
  /** Temperature of each row, instead of `temperature`. */
  readonly temperatures?: Float64Array | undefined;
  /** Temperature of the teacher, if it differs from the student's. */
  readonly teacherTemperature?: number | undefined;
  /** Whether the kernel standardizes both sides before the temperature. */
  readonly standardizes?: boolean;
  /** Whether the kernel works on copies of the rows. */
  readonly copies?: boolean;
  /** First option of the loss; its meaning depends on the kernel. */
  readonly option?: number;
  /** Second option of the loss. */
  readonly otherOption?: number;
  /** Parameters of the loss, one for each column. */
  readonly parameters?: ArrayLike<number> | undefined;
  /**
   * Classes of a sparse teacher: `count` class indices for each row, row after row; −1 for none.
   */
  readonly kept?: { readonly count: number; readonly indices: Int32Array };
  /**
   * Whether the kernel sorts the classes of both sides in descending order before comparing them.
   */
  readonly ranks?: boolean;
  /**
   * Table with numbers for each column, which the kernel reads or writes; its rows are whole
   * vectors.
   */
  readonly perColumn?: FloatArray | undefined;
}

/**
 * Rows of up to 16 columns are computed in doubles in both number formats: in sums of few numbers
 * the rounding errors do not average out, and short rows cost little.
 */
export const FEW_COLUMNS = 16;

/** Returns the bytes of a number in the format in which the kernel computes. */
export function sizeOf({ student, columns }: RowsCall): number {
  return columns <= FEW_COLUMNS ? 8 : student.BYTES_PER_ELEMENT;
}

/** Returns the bytes of the workspace of a call. */
export function workspaceOf(call: RowsCall): number {
  const { columns, standardizes, teacherTemperature, kept, ranks, perColumn } = call;
  const { copies = standardizes || teacherTemperature !== undefined } = call;
  const rowBytes = ranks ? widestOf(call) : columns * sizeOf(call);
  const spare = (ranks ? rankBytes(rowBytes) : 0) + (perColumn ? blockBytes(rowBytes) : 0);
  const isStaged = copies || kept !== undefined || spare > 0 || rowBytes !== align(rowBytes);
  return workspaceBytes(rowBytes, isStaged) + spare;
}

/** Returns the bytes of a row of the wider matrix, student or teacher. */
export function widestOf(call: RowsCall): number {
  const { columns, teacherColumns = columns } = call;
  return Math.max(columns, teacherColumns) * sizeOf(call);
}

/**
 * Returns the address of the row of parameters: the last row of the workspace, which no kernel with
 * parameters writes.
 */
export function parametersBehind(workspace: number, call: RowsCall): number {
  return workspace + workspaceOf(call) - align(call.columns * sizeOf(call));
}
