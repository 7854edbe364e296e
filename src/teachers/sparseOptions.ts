import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';

/** Options of `SparseTargets`: either `logProbabilities` or `logits`. */
export interface SparseTargetsOptions<T extends FloatArray = Float32Array> {
  /**
   * The k classes of each row, row after row. Each class is in [0, columns), and no class stands
   * twice in a row. A row of fewer than k classes is padded with −1; the values there are not read.
   * The array is not copied.
   */
  readonly indices: Int32Array;
  /**
   * Log-probabilities of these classes, shape [rows, k], by a softmax over all classes at
   * `temperature`.
   */
  readonly logProbabilities?: Matrix<T> | undefined;
  /**
   * Logits of these classes, shape [rows, k], instead of log-probabilities. The probability of the
   * other classes is then unknown.
   */
  readonly logits?: Matrix<T> | undefined;
  /** Number of classes: the student's columns. */
  readonly columns: number;
  /**
   * Temperature of the softmax of `logProbabilities`.
   *
   * @defaultValue 1
   */
  readonly temperature?: number | undefined;
  /**
   * Logarithm of the total probability of all other classes, one for each row. It is not read for a
   * row that keeps every class.
   *
   * @defaultValue log(1 − Σ p) over the kept classes; −Infinity if the difference is below its
   *   rounding error, which is k times the spacing of the dtype at 1
   */
  readonly logTail?: T | undefined;
}
