import type { IDistillationStrategy } from '../call/options.js';
import { checkChoice, checkOptions, throwType } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray, NumericTrait } from '../core/numeric.js';
import type { CaseOptions } from './arbitraries.js';
import { INVARIANCES, type Invariance } from './invariances.js';

/** A strategy to be proved, and what it promises. */
export interface StrategySubject extends Omit<CaseOptions, 'rowWeights'> {
  /** A new strategy for matrices of this number format. */
  readonly create: <T extends FloatArray>(numeric: NumericTrait<T>) => IDistillationStrategy<T>;
  /**
   * For a loss whose gradient takes for a constant what the student determines, a weight for one:
   * the strategy with that determined by this student, whichever it is called with. Its gradient
   * has to be the derivative of its loss and, at this student, to the bit the gradient of the
   * strategy itself.
   */
  readonly heldAt?: (student: Matrix<Float64Array>) => IDistillationStrategy<Float64Array>;
  /** The least loss there is; 0. */
  readonly minimum?: number;
  /** Whether the loss is least at student = teacher; true. */
  readonly reachesMinimum?: boolean;
  /**
   * Whether a row of the student (`index` among `rows`) is one where the loss is differentiable,
   * and least where the teacher's row is the same and there is no label. Always, unless you say
   * otherwise: the cosine of a zero row is neither. `teacher` is there where the derivative is
   * asked about.
   */
  readonly isRegular?: (
    row: readonly number[],
    index: number,
    rows: readonly (readonly number[])[],
    teacher?: readonly (readonly number[])[],
  ) => boolean;
  readonly invariances: readonly Invariance[];
  /**
   * Whether the loss depends on the teacher; true. One that does not, of labels alone, does not
   * refuse a NaN there.
   */
  readonly readsTeacher?: boolean;
  /** Whether the loss is a sum over rows, so that chunks with one normalizer add up; true. */
  readonly sumOverRows?: boolean;
  /** How far float32 may be from float64, relative to the largest entry; 1e-6. */
  readonly float32Tolerance?: number;
  /**
   * Magnitude below which losses, and entries of gradients, count as equal, in every law that
   * compares them but the laws about equal bits; 1e-12.
   */
  readonly rounding?: number;
}

/** A subject with what it leaves open filled in. */
export type Subject = StrategySubject &
  Required<Pick<StrategySubject, 'minimum' | 'isRegular' | 'rounding'>>;

/** What counts as equal in a number format. */
export function roundingOf({ rounding }: Subject, { epsilon }: NumericTrait<FloatArray>): number {
  return Math.max(rounding, 4 * epsilon);
}

/** The fields of a subject, so that a misspelt one does not pass unnoticed. */
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

/** Throws for a subject whose fields have other names, or are not what they have to be. */
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
