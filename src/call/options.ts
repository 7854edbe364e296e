// Arguments, options and results of a call.

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
 * Interface of every distillation loss: its value, and its derivative with respect to the student.
 */
export interface IDistillationStrategy<T extends FloatArray = Float32Array> {
  /** Divisor of the logits of both sides of a response loss. Finite, > 0. */
  temperature: number;
  /**
   * Weight of the true labels in a response loss, in [0, 1]; the weight of the teacher is 1 −
   * alpha.
   */
  alpha: number;
  /**
   * Computes the loss of a batch, a double.
   *
   * @param studentBatchOutput - shape [rows, columns]
   * @param teacherBatchOutput - a constant to the gradient; same dtype as the student
   * @param trueLabelsBatch - one label for each row
   * @param options - options of this call
   */
  computeLoss(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T>,
    trueLabelsBatch?: Labels<T>,
    options?: EvaluationOptions<T>,
  ): number;
  /**
   * Computes d loss / d student, in the student's shape. The parameters are those of
   * {@link computeLoss}.
   */
  computeGradient(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T>,
    trueLabelsBatch?: Labels<T>,
    options?: EvaluationOptions<T>,
  ): Matrix<T>;
  /**
   * Computes loss and gradient in one pass. A hybrid calls it, if it exists, instead of the other
   * two methods.
   */
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
   * One number for each row: 1 keeps the row, 0 excludes it. An excluded row is never read, and its
   * gradient is exactly 0.
   *
   * @defaultValue every row is kept
   */
  readonly mask?: ArrayLike<number> | undefined;
  /**
   * Weight of the loss of each row, any finite number: loss = Σ weight · loss of the row /
   * normalizer. The weights are constant to the gradient. A row of weight 0 is not read but counts
   * as a kept row. A loss that is not a sum over rows refuses the option.
   *
   * @defaultValue every weight is 1
   */
  readonly rowWeights?: ArrayLike<number> | undefined;
  /**
   * Temperature of each row, finite and > 0, instead of the temperature of the strategy. The
   * temperatures are constant to the gradient; T² is the square of the temperature of the row. Only
   * response losses that are a sum over rows take the option. In a hybrid, the other entries ignore
   * it.
   *
   * @defaultValue every row has the temperature of the strategy
   */
  readonly temperatures?: ArrayLike<number> | undefined;
  /**
   * Denominator of the mean, > 0. Pass the number of kept rows of the whole batch when a call
   * computes one chunk of it.
   *
   * @defaultValue the number of kept rows
   */
  readonly normalizer?: number | undefined;
  /**
   * Output buffer of the gradient, in the student's shape and dtype. Arguments are checked before
   * the call writes to it. If the numbers then turn out to be unusable (NaN, overflow), the call
   * throws and an overwritten `gradient` holds unspecified numbers.
   *
   * @defaultValue a new matrix
   */
  readonly gradient?: Matrix<T> | undefined;
  /**
   * Whether to add to `gradient`, and to the gradients of learnable parameters, instead of
   * overwriting them. The sums are written only if the call succeeds, which costs a scratch matrix.
   *
   * @defaultValue false
   */
  readonly accumulate?: boolean | undefined;
  /**
   * Output buffer for the loss of each row, one element a row: without the weight of the row and
   * not divided by the normalizer; 0 for a row that is not read. It holds unspecified numbers after
   * an error. A loss that is not a sum over rows refuses the option.
   *
   * @defaultValue the losses of rows are not kept
   */
  readonly rowLosses?: Float64Array | undefined;
}

/**
 * Options of every strategy. A strategy in a hybrid that leaves an option out inherits the option
 * of the hybrid.
 */
export interface StrategyOptions {
  /**
   * Divisor of the logits of both sides of a response loss. Finite, > 0.
   *
   * @defaultValue 3, or the default that the strategy documents
   */
  readonly temperature?: number | undefined;
  /**
   * Weight of the true labels in a response loss, in [0, 1]; the weight of the teacher is 1 −
   * alpha.
   * A row without a label has the soft loss alone, at alpha 1 too.
   *
   * @defaultValue 0.3, or the default that the strategy documents
   */
  readonly alpha?: number | undefined;
}

/** Result of a call that computes loss and gradient. */
export interface LossAndGradient<T extends FloatArray = Float32Array> {
  /** Loss of the batch, a double. */
  readonly loss: number;
  /** d loss / d student, in the student's shape and number format. */
  readonly gradient: Matrix<T>;
  /** Number of kept rows. */
  readonly count: number;
  /** Losses of the entries of a hybrid; their `weighted` losses sum to `loss`. */
  readonly components?: readonly ComponentLoss[] | undefined;
}

/** Loss of a strategy inside another strategy, and the number of kept rows. */
export interface CountedLoss {
  readonly loss: number;
  readonly count: number;
  /** Losses of the entries, if the strategy is a hybrid. */
  readonly components?: readonly ComponentLoss[] | undefined;
}

/** @inline Temperature and alpha together. */
export interface Blend {
  readonly temperature: number;
  readonly alpha: number;
}

/** Temperature and alpha if neither the strategy nor an enclosing hybrid sets them. */
export const DEFAULTS: Blend = { temperature: 3, alpha: 0.3 };

/** Overrides of a strategy that is in no hybrid. */
export const NO_OVERRIDES: Overrides = { temperature: undefined, alpha: undefined };

/** Options of a call without options. A call recognises this one object and skips the check. */
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

/** Checks the options of a call; returns its arguments as a request. */
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

/** Builds the result of a call. */
export function resultOf<T extends FloatArray>(
  loss: number,
  gradient: Matrix<T>,
  { count, components }: DistillationBatch<T>,
): LossAndGradient<T> {
  if (components.length === 0) return { loss, gradient, count };
  return { loss, gradient, count, components };
}
