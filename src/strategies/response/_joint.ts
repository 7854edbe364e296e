import { type Grid, grid } from '../../kernels/products/grid.js';
import { addScaled } from '../../kernels/rows/addScaled.js';
import type { SoftRows } from './_softRows.js';
import type { SoftTemperatures } from './_temperatures.js';

/**
 * Which rows are together, at which temperatures, and what the loss counts at each temperature and
 * in each row.
 */
export interface Together {
  readonly rows: readonly number[];
  readonly temperatures: readonly SoftTemperatures[];
  /** T² of the student, or 1. */
  readonly factorOf: (temperature: number) => number;
  readonly weightOf: (row: number) => number;
}

/**
 * The part of a row, of this weight, in a loss of all rows together; its derivative is added to
 * `derivative`.
 */
export type JointPart = (row: number, weight: number, derivative: Float64Array) => number;

/** Evaluates a loss of softened rows together, once for a batch. */
export type JointLoss = (soft: SoftRows, together: Together) => JointPart;

/**
 * The loss of softened rows together as what each row has of it, weighted by the row. `loss` adds
 * its derivative with respect to the student's rows to `derivative`. Since each row has the loss,
 * the derivative of a row counts the weights of all rows.
 */
export function jointly(
  loss: (student: Grid, teacher: Grid, derivative: Float64Array) => number,
): JointLoss {
  return (soft, { rows, temperatures, factorOf, weightOf }) => {
    const { columns } = soft;
    const weights = rows.reduce((sum, row) => sum + weightOf(row), 0);
    if (weights === 0) return () => 0; // then no teacher is read
    const room = (): Grid => grid(new Float64Array(rows.length * columns), rows.length, columns);
    const [student, teacher] = [room(), room()];
    const softened = new Float64Array(student.data.length);
    const raw = new Float64Array(student.data.length);
    const places = new Map(rows.map((row, i) => [row, i * columns]));
    let value = 0;
    for (const temperature of temperatures) {
      const factor = factorOf(temperature.student);
      for (const [row, place] of places) {
        const loaded = soft.load(row, temperature, -1);
        student.data.set(loaded.student, place);
        teacher.data.set(loaded.teacher, place);
      }
      softened.fill(0);
      value += factor * loss(student, teacher, softened);
      for (const [row, place] of places) {
        const { derivative } = soft.load(row, temperature, -1);
        derivative.set(softened.subarray(place, place + columns));
        soft.addDerivative(weights * factor, raw.subarray(place, place + columns));
      }
    }
    return (row, weight, derivative) => {
      const place = places.get(row)!;
      addScaled(derivative, 0, raw.subarray(place, place + columns), columns, 1);
      return weight * value;
    };
  };
}
