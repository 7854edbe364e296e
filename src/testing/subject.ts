import type { IDistillationStrategy } from '../call/options.js';
import { checkChoice, checkOptions, throwType } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray, NumericTrait } from '../core/numeric.js';
import type { CaseOptions } from './cases.js';
import { INVARIANCES, type Invariance } from './invariances.js';

/** A strategy to be proved, and the properties that it declares. */
export interface StrategySubject extends Omit<CaseOptions, 'rowWeights'> {
  /** Creates a new strategy for matrices of a dtype. */
  readonly create: <T extends FloatArray>(numeric: NumericTrait<T>) => IDistillationStrategy<T>;
  /**
   * For a loss whose gradient treats a function of the student as a constant, such as a weight:
   * returns a strategy that computes this function from the given student in every call. The
   * gradient of the returned strategy must be the derivative of its loss and, at the given student,
   * equal to the bit to the gradient of the strategy itself.
   *
   * @defaultValue the strategy itself
   */
  readonly heldAt?:
    | ((student: Matrix<Float64Array>) => IDistillationStrategy<Float64Array>)
    | undefined;
  /**
   * Lower bound of the loss.
   *
   * @defaultValue 0
   */
  readonly minimum?: number | undefined;
  /**
   * Whether the loss reaches its minimum at student = teacher.
   *
   * @defaultValue true
   */
  readonly reachesMinimum?: boolean | undefined;
  /**
   * Whether the loss is differentiable at a row of the student (row `index` of `rows`), and minimal
   * there if the teacher's row is equal and there is no label. The cosine at a zero row is neither.
   * `teacher` is passed only for the question of the derivative.
   *
   * @defaultValue true for every row
   */
  readonly isRegular?:
    | ((
        row: readonly number[],
        index: number,
        rows: readonly (readonly number[])[],
        teacher?: readonly (readonly number[])[],
      ) => boolean)
    | undefined;
  /** The changes of the inputs that do not change the loss. */
  readonly invariances: readonly Invariance[];
  /**
   * Whether the loss depends on the teacher. A loss of labels only does not refuse a NaN in the
   * teacher.
   *
   * @defaultValue true
   */
  readonly readsTeacher?: boolean | undefined;
  /**
   * Whether the loss is a sum over rows, so that chunks with one normalizer add up.
   *
   * @defaultValue true
   */
  readonly sumOverRows?: boolean | undefined;
  /**
   * Largest difference between float32 and float64, relative to the largest element.
   *
   * @defaultValue 1e-6
   */
  readonly float32Tolerance?: number | undefined;
  /**
   * Differences of losses, and of elements of gradients, up to this number count as rounding. The
   * laws about equal bits do not use it.
   *
   * @defaultValue 1e-12
   */
  readonly rounding?: number | undefined;
}

/** A subject with the default values filled in. */
export type Subject = StrategySubject & {
  readonly [Field in 'minimum' | 'isRegular' | 'rounding']: NonNullable<StrategySubject[Field]>;
};

/** Returns the difference that counts as rounding in a dtype. */
export function roundingOf({ rounding }: Subject, { epsilon }: NumericTrait<FloatArray>): number {
  return Math.max(rounding, 4 * epsilon);
}

/** The fields of a subject: others are refused, because a misspelt field would have no effect. */
const FIELDS: readonly (keyof StrategySubject)[] = [
  ...([
    'create',
    'values',
    'invariances',
    'rows',
    'columns',
    'magnitude',
    'labels',
    'ruledOut',
    'temperatures',
    'readsTeacher',
  ] as const),
  ...(['heldAt', 'minimum', 'reachesMinimum', 'isRegular', 'sumOverRows', 'rounding'] as const),
  'float32Tolerance',
];

/** Throws for a subject with unknown fields, or with a field of the wrong type. */
export function checkSubject(subject: StrategySubject): void {
  const operation = 'strategyLaws';
  checkOptions(operation, 'subject', subject, FIELDS);
  const { create, values, invariances } = subject;
  if (typeof create !== 'function') {
    throwType(operation, 'subject.create', 'be a function that makes a strategy', create);
  }
  checkChoice(operation, 'subject.values', values, ['logits', 'features', 'probabilities']);
  if (!Array.isArray(invariances)) {
    throwType(operation, 'subject.invariances', 'be an array, [] for none', invariances);
  }
  for (const each of invariances) {
    checkChoice(operation, 'subject.invariances', each, INVARIANCES);
  }
}
