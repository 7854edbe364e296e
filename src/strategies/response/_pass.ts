import type { DistillationBatch } from '../../call/batch.js';
import type { FloatArray } from '../../core/numeric.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import type { ColumnTerm } from './_columns.js';
import type { CallTables, SpareTables } from './_rowTables.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';

/** A response loss, as plain data and functions. */
export interface ResponseLoss {
  readonly terms: ResponseTerms;
  readonly softLoss: (columns: number, terms: number) => SoftLoss;
  readonly temperatureSquared: boolean;
  readonly standardizeLogits: boolean;
  /** Where it is not the temperature of the student. */
  readonly teacherTemperature: number | undefined;
  readonly spare: SpareTables;
}

/**
 * One evaluation of the soft loss at one temperature, with the hard loss in the first evaluation.
 */
export interface Pass<T extends FloatArray> {
  readonly loss: ResponseLoss;
  readonly batch: DistillationBatch<T, SparseTargets<T>>;
  readonly temperature: number;
  /** One for each row, instead of the temperature. */
  readonly temperatures: Float64Array | undefined;
  /** Where it is not the temperature of the student. */
  readonly teacherTemperature: number | undefined;
  readonly tables: CallTables;
  /** The part of all rows together that is evaluated with the rows. */
  readonly columns?: ColumnTerm | undefined;
}
