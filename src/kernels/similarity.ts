import { addGramAdjoint, gram } from './gram.js';
import type { Grid } from './grid.js';
import { toUnit, unitGradient } from './unit.js';

/**
 * The mean over pairs of rows of (Ĝ(student) − Ĝ(teacher))², where Ĝ is x · xᵀ with its rows at unit length. Where
 * `derivative` is given, as zeros, it is written with the derivative by the student.
 */
export function similarityDifference(
  student: Grid,
  teacher: Grid,
  derivative?: Float64Array,
): number {
  const { rows } = student;
  const pairs = rows * rows;
  const own = gram(student);
  const other = gram(teacher);
  let sum = 0;
  for (let from = 0; from < pairs; from += rows) {
    const denominator = toUnit(own, from, rows);
    toUnit(other, from, rows);
    for (let k = from; k < from + rows; k++) {
      const u = own[k]! - other[k]!;
      sum += u * u;
      other[k] = (2 * u) / pairs; // the teacher's is done with: from here on the derivative
    }
    if (derivative) unitGradient(own, denominator, other, from, rows);
  }
  if (derivative) addGramAdjoint(other, student, derivative);
  return sum / pairs;
}
