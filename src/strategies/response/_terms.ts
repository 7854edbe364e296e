import type { RuledOutBy } from '../../call/diagnosis.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import type { Binary } from '../../engine/compile.js';
import type { HardLoss } from '../../kernels/rows/crossEntropy.js';
import type { ColumnKernel } from './_columns.js';
import type { JointLoss } from './_joint.js';
import type { DistributionRow } from './_softRows.js';

/** A soft loss as the engine has it. */
export interface SoftKernel {
  readonly binary: Binary;
  /** The name of its exports, without the size of the numbers. */
  readonly name: string;
  /** Two weights of its parts. */
  readonly option?: number;
  readonly otherOption?: number;
  /** For a kernel of numbers: entries that hold this on both sides add nothing. */
  readonly ruledOut?: number;
  /** For a kernel that does not see the temperature: what its loss counts. */
  readonly weightAt?: (temperature: number) => number;
  /** Whether the kernel computes the soft loss alone, of logits as they are. */
  readonly isSoftAlone?: boolean;
  /** Whether it ranks the classes on both sides: compares them in descending order. */
  readonly ranks?: boolean;
}

/**
 * What the teacher's part of a row, the part of weight 1 − α, is made of; constants to the
 * gradient.
 */
export interface TeacherShares {
  /** How often the cross-entropy with the label counts. */
  readonly hard: number;
  /** How often the soft loss counts. */
  readonly soft: number;
}

/** The cross-entropies with the label of a row, at temperature 1. */
export interface LabelLosses {
  readonly student: number;
  readonly teacher: number;
}

/** @inline What becomes of the classes that a sparse teacher leaves out. */
export type Tail = 'bucket' | 'renormalize' | 'drop';

/** What is particular to a response loss beside its soft loss, as plain data. */
export interface ResponseTerms {
  /** The soft loss in the engine; in JavaScript, where there is none. */
  readonly kernel?: SoftKernel;
  /** The soft loss as a function of two distributions, for a loss that is one. */
  readonly divergence?: (row: DistributionRow) => number;
  /**
   * How many times the terms of the divergence hold q − p beside the formula. It adds up to 0 over
   * all classes, and is taken out where the terms of some classes are dropped.
   */
  readonly completion?: number;
  /** For a loss that takes sparse teachers: what becomes of the tail. */
  readonly tail?: Tail;
  /** The hard loss; the cross-entropy at temperature 1 unless a loss says otherwise. */
  readonly hard?: {
    readonly loss: (columns: number) => HardLoss;
    /** Throws unless these rows of a matrix of labels are what the hard loss takes. */
    readonly checkLabelRows: (
      operation: string,
      labels: Matrix<FloatArray>,
      rows: readonly number[],
    ) => void;
  };
  /**
   * The teacher's part of a row, for a loss that looks at the label; the soft loss alone by
   * default.
   */
  readonly sharesOf?: (losses: LabelLosses, row: number) => TeacherShares;
  /**
   * The temperatures at which the soft loss is taken, and summed; the temperature of the call by
   * default.
   */
  readonly temperatures?: (temperature: number) => readonly number[];
  /** What the soft loss counts, beside T²; 1 by default. */
  readonly softWeight?: number;
  /** A loss of all softened rows together, which counts in each row as the soft loss does. */
  readonly joint?: JointLoss;
  /** The joint loss in the engine, where it is one of the columns. */
  readonly columns?: ColumnKernel;
  /**
   * Whether the loss is one of softmaxes, for which probabilities are no logits; true by default.
   */
  readonly ofSoftmax?: boolean;
  /** Whether the classes of the teacher are those of the student; true by default. */
  readonly sharesClasses?: boolean;
}

/** Who must not rule a class out alone, by default. */
export const RULED_OUT_BY: RuledOutBy = 'student';
