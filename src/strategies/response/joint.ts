import { type Grid, grid } from '../../kernels/products/grid.js';
import { addScaled } from '../../kernels/rows/addScaled.js';
import type { SoftRows } from './softRows.js';

/** Which rows are together, at which temperatures, and what the loss counts at each and in each. */
export interface Together {
  readonly rows: readonly number[];
  readonly temperatures: readonly number[];
  readonly factor: (temperature: number) => number;
  readonly weightOf: (row: number) => number;
}

/** The part of a row, of this weight, in a loss of all of them together; its derivative is added to `derivative`. */
export type JointPart = (row: number, weight: number, derivative: Float64Array) => number;

/** Evaluates a loss of softened rows together, once for a batch. */
export type JointLoss = (soft: SoftRows, together: Together) => JointPart;

/**
 * The loss of softened rows together as what each of them has, weighted by the row. For a loss that adds its
 * derivative with respect to the student's rows to `derivative`.
 *
 * The derivative is not that of one row alone: since each row has the loss, what is added for a row counts the weights of all.
 */
export function jointly(
  loss: (student: Grid, teacher: Grid, derivative: Float64Array) => number,
): JointLoss {
  return (soft, { rows, temperatures, factor, weightOf }) => {
    const { columns } = soft;
    const weights = rows.reduce((sum, row) => sum + weightOf(row), 0);
    if (weights === 0) return () => 0; // then no teacher is read
    const room = (): Grid => grid(new Float64Array(rows.length * columns), rows.length, columns);
    const [student, teacher] = [room(), room()];
    const [softened, raw] = [
      new Float64Array(student.data.length),
      new Float64Array(student.data.length),
    ];
    const places = new Map(rows.map((row, i) => [row, i * columns]));
    let value = 0;
    for (const temperature of temperatures) {
      for (const [row, place] of places) {
        const loaded = soft.load(row, temperature, -1);
        student.data.set(loaded.student, place);
        teacher.data.set(loaded.teacher, place);
      }
      softened.fill(0);
      value += factor(temperature) * loss(student, teacher, softened);
      for (const [row, place] of places) {
        const { derivative } = soft.load(row, temperature, -1);
        derivative.set(softened.subarray(place, place + columns));
        const weight = weights * factor(temperature);
        soft.addDerivative(weight, raw.subarray(place, place + columns));
      }
    }
    return (row, weight, derivative) => {
      const place = places.get(row)!;
      addScaled(derivative, 0, raw.subarray(place, place + columns), columns, 1);
      return weight * value;
    };
  };
}
