import type { DistillationBatch } from '../../call/batch.js';
import type { FloatArray } from '../../core/numeric.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import type { ColumnTerm } from './_columns.js';
import type { CallTables, SpareTables } from './_rowTables.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';

/** A response loss as plain data and functions, without its class. */
export interface ResponseLoss {
  readonly terms: ResponseTerms;
  readonly softLoss: (columns: number, terms: number) => SoftLoss;
  readonly temperatureSquared: boolean;
  readonly standardizeLogits: boolean;
  /** `undefined` if the teacher has the temperature of the student. */
  readonly teacherTemperature: number | undefined;
  readonly spare: SpareTables;
}

/** One evaluation of the soft loss at one temperature; the first pass includes the hard loss. */
export interface Pass<T extends FloatArray> {
  readonly loss: ResponseLoss;
  readonly batch: DistillationBatch<T, SparseTargets<T>>;
  readonly temperature: number;
  /** A temperature for each row, which replaces `temperature`. */
  readonly temperatures: Float64Array | undefined;
  /** `undefined` if the teacher has the temperature of the student. */
  readonly teacherTemperature: number | undefined;
  readonly tables: CallTables;
  /** The joint loss, if the kernel of the rows adds its derivative. */
  readonly columns?: ColumnTerm | undefined;
}
