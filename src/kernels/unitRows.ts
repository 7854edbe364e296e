import { norm } from './distance.js';
import { type Grid, grid } from './grid.js';

/** Rows of length 1, with the length that each had before. */
export interface UnitRows {
  readonly units: Grid;
  readonly norms: Float64Array;
}

/** Each row divided by its norm; a row of zeros stays one. */
export function unitRows({ data, rows, columns }: Grid): UnitRows {
  const units = new Float64Array(rows * columns);
  const norms = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    norms[i] = norm(data, i * columns, columns);
    if (norms[i] === 0) continue;
    for (let k = i * columns; k < (i + 1) * columns; k++) units[k] = data[k]! / norms[i]!;
  }
  return { units: grid(units, rows, columns), norms };
}

/** The adjoint of {@link unitRows}, in place: turns d loss / d units into that by the rows; 0 at a row of zeros. */
export function unitRowsAdjoint({ units, norms }: UnitRows, slope: Float64Array): void {
  const { data, rows, columns } = units;
  for (let i = 0; i < rows; i++) {
    let along = 0;
    for (let k = i * columns; k < (i + 1) * columns; k++) along += slope[k]! * data[k]!;
    for (let k = i * columns; k < (i + 1) * columns; k++) {
      slope[k] = norms[i] === 0 ? 0 : (slope[k]! - along * data[k]!) / norms[i]!;
    }
  }
}
