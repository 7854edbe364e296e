import type { RuledOutBy } from '../../call/diagnosis.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import type { Binary } from '../../engine/compile.js';
import type { HardLoss } from '../../kernels/rows/crossEntropy.js';
import type { ColumnKernel } from './_columns.js';
import type { JointLoss } from './_joint.js';
import type { DistributionRow } from './_softRows.js';

/** The engine's kernel of a soft loss. */
export interface SoftKernel {
  readonly binary: Binary;
  /** Name of the exports without the dtype. */
  readonly name: string;
  /** First number that the kernel takes: a weight, a share or a power. */
  readonly option?: number | undefined;
  /** Second number that the kernel takes. */
  readonly otherOption?: number | undefined;
  /** Elements with this value on both sides add 0; for kernels without a softmax. */
  readonly ruledOut?: number | undefined;
  /** Factor of the loss at a temperature; for kernels that do not read the temperature. */
  readonly weightAt?: ((temperature: number) => number) | undefined;
  /** True if the kernel has no hard loss, and reads logits that are not standardized. */
  readonly isSoftAlone?: boolean | undefined;
  /** True if the kernel sorts the probabilities of both sides first, in descending order. */
  readonly ranks?: boolean | undefined;
}

/** The weights in the part of a row that has weight 1 − α. They are constants to the gradient. */
export interface TeacherShares {
  /** Weight of the cross-entropy with the label. */
  readonly hard: number;
  /** Weight of the soft loss. */
  readonly soft: number;
}

/** The cross-entropies of both sides with the label of a row, at temperature 1. */
export interface LabelLosses {
  readonly student: number;
  readonly teacher: number;
}

/** @inline Treatment of the classes that a sparse teacher leaves out. */
export type Tail = 'bucket' | 'renormalize' | 'drop';

/** The properties of a response loss beside its soft loss, as plain data. */
export interface ResponseTerms {
  /** The engine's kernel of the soft loss; without one, JavaScript computes. */
  readonly kernel?: SoftKernel | undefined;
  /** The soft loss as a function of two distributions, if it is such a function. */
  readonly divergence?: ((row: DistributionRow) => number) | undefined;
  /**
   * Factor of q − p in the terms of the divergence, beyond its formula. The sum of q − p over all
   * classes is 0. Where `tail: 'drop'` leaves classes out, the sum is not 0, and is subtracted.
   */
  readonly completion?: number | undefined;
  /** Treatment of the tail; `undefined` if the loss refuses sparse teachers. */
  readonly tail?: Tail | undefined;
  /** The hard loss; by default the cross-entropy at temperature 1. */
  readonly hard?:
    | {
        readonly loss: (columns: number) => HardLoss;
        /** Throws if rows of a matrix of labels are not valid for the hard loss. */
        readonly checkLabelRows: (
          operation: string,
          labels: Matrix<FloatArray>,
          rows: readonly number[],
        ) => void;
      }
    | undefined;
  /** The weights in the part of weight 1 − α; by default that part is the soft loss alone. */
  readonly sharesOf?: ((losses: LabelLosses, row: number) => TeacherShares) | undefined;
  /** The temperatures that the soft loss is summed over; by default the temperature of the call. */
  readonly temperatures?: ((temperature: number) => readonly number[]) | undefined;
  /** Weight of the soft loss, beside T²; 1 by default. */
  readonly softWeight?: number | undefined;
  /** A loss of all softened rows together. Each row has it, with the weight of its soft loss. */
  readonly joint?: JointLoss | undefined;
  /** The engine's kernel of the joint loss, if that is a loss of columns. */
  readonly columns?: ColumnKernel | undefined;
  /** True if the loss takes softmaxes, and so refuses probabilities; true by default. */
  readonly ofSoftmax?: boolean | undefined;
  /** True if both sides have the same classes; true by default. */
  readonly sharesClasses?: boolean | undefined;
}

/** The side that must not rule a class out alone, by default. */
export const RULED_OUT_BY: RuledOutBy = 'student';
