import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import { addScaled } from '../../kernels/rows/addScaled.js';
import type { Distributions } from '../../kernels/rows/divergences.js';
import { soften, standardize, standardizeAdjoint } from '../../kernels/rows/soften.js';
import type { SoftTemperatures } from './_temperatures.js';

/** One row as a soft loss sees it. */
export interface SoftRow {
  /** The student's logits, divided by the temperature. */
  readonly student: Float64Array;
  /** The teacher's logits, divided by the temperature. */
  readonly teacher: Float64Array;
  /** The class of the row, or −1 where the row has no class. */
  readonly label: number;
  /** To be written: the derivative of the loss by `student`. */
  readonly derivative: Float64Array;
}

/** The distributions of a row. They hold until the next row. */
export interface DistributionRow extends Distributions {
  /**
   * Where the class of the row stands in them; −1 for a row without a class, or with one that a
   * sparse teacher left out.
   */
  readonly label: number;
}

/** Returns the loss of a row, and writes its derivative to `row.derivative`. */
export type SoftLoss = (row: SoftRow) => number;

/** The rows of a batch in JavaScript, one at a time. */
export interface SoftRows {
  /** Logits of a row of the student. */
  readonly columns: number;
  /**
   * Number of leading columns that enter the loss; smaller than `columns` only with `tail: 'drop'`.
   */
  readonly terms: number;
  /**
   * The row of this index at the temperatures of both sides; it holds until the next row is loaded.
   */
  load(row: number, temperatures: SoftTemperatures, label: number): SoftRow;
  /**
   * derivative += weight × what the derivative of the row that is loaded makes of the student's raw
   * logits.
   */
  addDerivative(weight: number, derivative: Float64Array): void;
}

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
