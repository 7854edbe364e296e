// What the caller of a strategy passes and gets back.

import { checkOptions } from '../core/errors.js';
import type { Labels } from '../core/labels.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type {
  BatchRequest,
  ComponentLoss,
  DistillationBatch,
  Overrides,
  TeacherOutput,
} from './batch.js';
import type { Parameter } from './parameter.js';
import { RowLossSink } from './rowOptions.js';

/**
 * What every distillation loss offers: its value and its derivative with respect to the student.
 */
export interface IDistillationStrategy<T extends FloatArray = Float32Array> {
  /** Softens both sides of a response loss: logits are divided by it. Finite, > 0. */
  temperature: number;
  /** Weight of the true labels in a response loss, in [0, 1]; the teacher has the rest. */
  alpha: number;
  /** The loss of a batch: a double. */
  computeLoss(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T>,
    trueLabelsBatch?: Labels<T>,
    options?: EvaluationOptions<T>,
  ): number;
  /** d loss / d student, in the student's shape. */
  computeGradient(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T>,
    trueLabelsBatch?: Labels<T>,
    options?: EvaluationOptions<T>,
  ): Matrix<T>;
  /** Both in one pass; called instead of the other two where it is there. */
  computeLossAndGradient?(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T>,
    trueLabelsBatch?: Labels<T>,
    options?: EvaluationOptions<T>,
  ): LossAndGradient<T>;
}

/** Options of one call. */
export interface EvaluationOptions<T extends FloatArray = Float32Array> {
  /**
   * One entry for each row: 0 excludes the row. It is never read, and its gradient is exactly 0.
   */
  readonly mask?: ArrayLike<number> | undefined;
  /**
   * What the loss of each row counts, any finite number: loss = Σ weight · loss of the row /
   * normalizer. A constant to the gradient. A row of weight 0 is not read, as under a mask, and
   * still counts in the number of rows kept. Losses that are no sum over rows refuse it.
   */
  readonly rowWeights?: ArrayLike<number> | undefined;
  /**
   * The temperature of each row, finite and > 0, instead of the temperature of the strategy. A
   * constant to the gradient; the factor T² has the temperature of the row. For response losses
   * that are a sum over rows; in a hybrid, other entries do not read it.
   */
  readonly temperatures?: ArrayLike<number> | undefined;
  /**
   * The denominator of the mean, instead of the number of rows kept: for chunks of one large batch.
   */
  readonly normalizer?: number | undefined;
  /**
   * Written with the gradient instead of a new matrix. Arguments are checked before it is written;
   * where the numbers then turn out to be unusable (NaN, overflow), the call throws and an
   * overwritten `gradient` holds unspecified numbers.
   */
  readonly gradient?: Matrix<T> | undefined;
  /**
   * Add to `gradient`, and to the gradients of learnable parameters, instead of overwriting them.
   * The sums are written only if the call succeeds, at the cost of a scratch matrix.
   */
  readonly accumulate?: boolean | undefined;
  /**
   * Written with the loss of each row, without its weight and not divided by the normalizer; 0 for
   * rows that are not read. One element a row. It holds unspecified numbers after an error. Losses
   * that are no sum over rows refuse it.
   */
  readonly rowLosses?: Float64Array | undefined;
}

/**
 * Options of every strategy; a hybrid supplies its own values to the strategies that leave them
 * out. Where neither sets them, 3 and 0.3 hold, or what the strategy documents.
 */
export interface StrategyOptions {
  /** Finite, > 0. */
  readonly temperature?: number | undefined;
  /** In [0, 1]. */
  readonly alpha?: number | undefined;
}

/** What one pass gives. */
export interface LossAndGradient<T extends FloatArray = Float32Array> {
  readonly loss: number;
  /** d loss / d student, in the student's shape and number format. */
  readonly gradient: Matrix<T>;
  /** Rows that took part. */
  readonly count: number;
  /** The parts of a hybrid's loss; they sum to `loss`. */
  readonly components?: readonly ComponentLoss[];
}

/** The loss of a part of another strategy, and the rows that took part. */
export interface CountedLoss {
  readonly loss: number;
  readonly count: number;
  /** The parts of a hybrid. */
  readonly components?: readonly ComponentLoss[];
}

/** @inline Temperature and alpha together. */
export interface Blend {
  readonly temperature: number;
  readonly alpha: number;
}

/** Temperature and alpha where neither the strategy nor a hybrid around it sets them. */
export const DEFAULTS: Blend = { temperature: 3, alpha: 0.3 };

/** What a strategy inherits that is in no hybrid. */
export const NO_OVERRIDES: Overrides = { temperature: undefined, alpha: undefined };

/** The options of a call that has none; one object, so that such a call has nothing to check. */
export const NO_OPTIONS: EvaluationOptions<never> = {};

const OPTION_NAMES = [
  'mask',
  'rowWeights',
  'temperatures',
  'normalizer',
  'gradient',
  'accumulate',
  'rowLosses',
];

/** A call as it was made, its options checked. */
export function requestOf<T extends FloatArray>(
  operation: string,
  student: Matrix<T>,
  teacher: TeacherOutput<T>,
  labels: Labels<T> | undefined,
  options: EvaluationOptions<T>,
  learned: readonly Parameter<T>[],
): BatchRequest<T> {
  if (options !== NO_OPTIONS) checkOptions(operation, 'options', options, OPTION_NAMES);
  const { mask, normalizer, rowWeights, temperatures, rowLosses } = options; // each read once
  return {
    operation,
    student,
    teacher,
    labels,
    mask,
    normalizer,
    rowWeights,
    temperatures,
    rowLosses: rowLosses === undefined ? undefined : new RowLossSink(rowLosses),
    inherited: NO_OVERRIDES,
    learned,
    memo: { checked: undefined, kept: undefined },
  };
}

/** What a call gives back. */
export function resultOf<T extends FloatArray>(
  loss: number,
  gradient: Matrix<T>,
  { count, components }: DistillationBatch<T>,
): LossAndGradient<T> {
  if (components.length === 0) return { loss, gradient, count };
  return { loss, gradient, count, components };
}
