import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import { addScaled } from '../../kernels/rows/addScaled.js';
import type { Distributions } from '../../kernels/rows/divergences.js';
import { soften, standardize, standardizeAdjoint } from '../../kernels/rows/soften.js';
import type { SoftTemperatures } from './_temperatures.js';

/** One softened row, as a soft loss reads it. */
export interface SoftRow {
  /** The student's logits, divided by the temperature. */
  readonly student: Float64Array;
  /** The teacher's logits, divided by the temperature. */
  readonly teacher: Float64Array;
  /** The class of the row; −1 for a row without a class. */
  readonly label: number;
  /** The output buffer of the derivative of the loss by `student`. */
  readonly derivative: Float64Array;
}

/** The distributions of a row. The buffers are reused for the next row. */
export interface DistributionRow extends Distributions {
  /**
   * The index of the row's class in the distributions; −1 for a row without a class, and for a
   * class that a sparse teacher left out.
   */
  readonly label: number;
}

/** Returns the loss of a row, and writes its derivative to `row.derivative`. */
export type SoftLoss = (row: SoftRow) => number;

/** Softens the rows of a batch in JavaScript, one at a time. */
export interface SoftRows {
  /** Number of columns of a softened row. */
  readonly columns: number;
  /**
   * Number of leading columns that enter the loss; smaller than `columns` only with `tail: 'drop'`.
   */
  readonly terms: number;
  /** Softens a row. Its buffers are reused when the next row is loaded. */
  load(row: number, temperatures: SoftTemperatures, label: number): SoftRow;
  /**
   * Adds `weight` times the derivative of the loaded row, taken back to the student's raw logits,
   * to `derivative`.
   */
  addDerivative(weight: number, derivative: Float64Array): void;
}

/** The rows of a dense teacher, which may be standardized. */
export function denseRows<T extends FloatArray>(
  student: Matrix<T>,
  teacher: Matrix<T>,
  standardizes: boolean,
): SoftRows {
  const x = new Float64Array(student.columns);
  const y = new Float64Array(teacher.columns);
  const derivative = new Float64Array(student.columns);
  let temperature = 1;
  let deviation = 0;
  return {
    columns: student.columns,
    terms: student.columns,
    load(row, at, label) {
      temperature = at.student;
      if (standardizes) {
        deviation = standardize(student.data, row * student.columns, at.student, x);
        standardize(teacher.data, row * teacher.columns, at.teacher, y);
      } else {
        soften(student.data, row * student.columns, at.student, x);
        soften(teacher.data, row * teacher.columns, at.teacher, y);
      }
      return { student: x, teacher: y, label, derivative };
    },
    addDerivative(weight, target) {
      if (standardizes) standardizeAdjoint(x, deviation, temperature, derivative);
      const scale = standardizes ? weight : weight / temperature;
      addScaled(target, 0, derivative, derivative.length, scale);
    },
  };
}
