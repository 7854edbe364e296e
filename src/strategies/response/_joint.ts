import { type Grid, grid } from '../../kernels/products/grid.js';
import { addScaled } from '../../kernels/rows/addScaled.js';
import type { SoftRows } from './_softRows.js';
import type { SoftTemperatures } from './_temperatures.js';

/** The rows of a joint loss, its temperatures, and its weights by temperature and by row. */
export interface Together {
  readonly rows: readonly number[];
  readonly temperatures: readonly SoftTemperatures[];
  /** Factor of the loss at a temperature of the student: T² or 1. */
  readonly factorOf: (temperature: number) => number;
  readonly weightOf: (row: number) => number;
}

/**
 * Returns `weight` times the joint loss, which every row has, and adds the derivative by the row's
 * logits to `derivative`.
 */
export type JointPart = (row: number, weight: number, derivative: Float64Array) => number;

/** Evaluates a joint loss, once for a batch. */
export type JointLoss = (soft: SoftRows, together: Together) => JointPart;

/**
 * Makes a joint loss from a loss of all softened rows. The value of each row is its weight times
 * the loss, so the derivative by a row has the sum of the weights of all rows.
 *
 * @param loss - adds its derivative by the student's rows to `derivative`
 */
export function jointly(
  loss: (student: Grid, teacher: Grid, derivative: Float64Array) => number,
): JointLoss {
  return (soft, { rows, temperatures, factorOf, weightOf }) => {
    const { columns } = soft;
    const weights = rows.reduce((sum, row) => sum + weightOf(row), 0);
    if (weights === 0) return () => 0; // without weight, no teacher is read
    const emptyGrid = (): Grid =>
      grid(new Float64Array(rows.length * columns), rows.length, columns);
    const [student, teacher] = [emptyGrid(), emptyGrid()];
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
