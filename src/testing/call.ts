import type { EvaluationOptions, IDistillationStrategy, LossAndGradient } from '../call/options.js';
import { sharesBase } from '../call/sharesBase.js';
import type { Labels } from '../core/labels.js';
import { Matrix } from '../core/matrix.js';
import type { FloatArray, NumericTrait } from '../core/numeric.js';
import type { DistillationCase } from './cases.js';

/** The arguments of one call in one dtype. */
export interface Call<T extends FloatArray> {
  readonly student: Matrix<T>;
  readonly teacher: Matrix<T>;
  readonly labels: Labels<T> | undefined;
  readonly options: EvaluationOptions<T>;
}

/** Converts an example to the arguments of a call. */
export function callOf<T extends FloatArray>(
  numeric: NumericTrait<T>,
  { student, teacher, labels, mask, normalizer, rowWeights, temperatures }: DistillationCase,
): Call<T> {
  return {
    student: Matrix.fromRows(student, numeric),
    teacher: Matrix.fromRows(teacher, numeric),
    labels: labels && labelsOf(numeric, labels),
    options: {
      ...(mask && { mask }),
      ...(normalizer !== undefined && { normalizer }),
      ...(rowWeights && { rowWeights }),
      ...(temperatures && { temperatures }),
    },
  };
}

function labelsOf<T extends FloatArray>(
  numeric: NumericTrait<T>,
  labels: readonly (number | number[])[],
): Labels<T> {
  const rows = labels.filter((label) => typeof label !== 'number');
  const indices = labels.filter((label) => typeof label === 'number');
  return rows.length > 0 ? Matrix.fromRows(rows, numeric) : Int32Array.from(indices);
}

export function lossOf<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  { student, teacher, labels, options }: Call<T>,
): number {
  return strategy.computeLoss(student, teacher, labels, options);
}

export function gradientOf<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  { student, teacher, labels, options }: Call<T>,
  more: EvaluationOptions<T> = {},
): Matrix<T> {
  return strategy.computeGradient(student, teacher, labels, { ...options, ...more });
}

/** Calls computeLossAndGradient; `undefined` for a bare implementation of the interface. */
export function lossAndGradientOf<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  { student, teacher, labels, options }: Call<T>,
  more: EvaluationOptions<T> = {},
): LossAndGradient<T> | undefined {
  if (!sharesBase(strategy)) return undefined;
  return strategy.computeLossAndGradient(student, teacher, labels, { ...options, ...more });
}
