import { type Grid, grid } from './grid.js';
import { toUnits, unitsGradient } from './unit.js';

/** Rows of length 1, with what each was divided by. */
export interface UnitRows {
  readonly units: Grid;
  readonly norms: Float64Array;
}

/** Each row divided by its norm; a row of zeros stays one. */
export function unitRows({ data, rows, columns }: Grid): UnitRows {
  const units = Float64Array.from(data);
  const norms = new Float64Array(rows);
  toUnits(units, norms, 0);
  return { units: grid(units, rows, columns), norms };
}

/** The adjoint of {@link unitRows}, in place: turns d loss / d units into that by the rows; 0 at a row of zeros. */
export function unitRowsAdjoint({ units, norms }: UnitRows, slope: Float64Array): void {
  unitsGradient(units.data, norms, slope, 0);
}
