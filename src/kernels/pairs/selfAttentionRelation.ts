// Compares the self-attention relations of the tokens of one sequence, head by head.

import type { Grid } from '../products/grid.js';
import { scoreDivergences } from '../rows/scoreRows.js';
import { addGramAdjoint, gram } from './gram.js';

/** Scratch buffers for sequences with `rows` tokens. */
interface Scratch {
  readonly rows: number;
  readonly studentScores: Float64Array;
  readonly teacherScores: Float64Array;
  readonly slopes: Float64Array;
  readonly own: Float64Array;
}

function scratchFor(rows: number, width: number): Scratch {
  const square = (): Float64Array => new Float64Array(rows * rows);
  return {
    rows,
    studentScores: square(),
    teacherScores: square(),
    slopes: square(),
    own: new Float64Array(rows * width),
  };
}

/**
 * Returns a function that computes the mean over heads and rows of KL(R(teacher) ‖ R(student)) for
 * one sequence. R = softmax(X Xᵀ / √d) for the d columns X of a head. The function writes the
 * derivative with respect to the student to `derivative`, if it is given.
 */
export function selfRelationDivergence(
  heads: number,
): (student: Grid, teacher: Grid, derivative: Float64Array | undefined) => number {
  let scratch: Scratch | undefined;
  return (student, teacher, derivative) => {
    const { rows } = student;
    const width = student.columns / heads;
    if (scratch?.rows !== rows) scratch = scratchFor(rows, width);
    const { studentScores, teacherScores, slopes, own } = scratch;
    const scale = 1 / (heads * rows * Math.sqrt(width));
    let sum = 0;
    for (let head = 0; head < heads; head++) {
      const x = columnsOf(student, head, heads);
      score(x, studentScores);
      score(columnsOf(teacher, head, heads), teacherScores);
      sum += scoreDivergences(studentScores, teacherScores, rows, derivative && slopes);
      if (!derivative) continue;
      own.fill(0);
      addGramAdjoint(slopes, x, own);
      for (let i = 0; i < rows; i++) {
        const start = i * student.columns + head * width;
        for (let j = 0; j < width; j++) derivative[start + j] = scale * own[i * width + j]!;
      }
    }
    return sum / (heads * rows);
  };
}

/** Returns the columns of one head. */
function columnsOf(vectors: Grid, head: number, heads: number): Grid {
  const columns = vectors.columns / heads;
  return { ...vectors, data: vectors.data.subarray(head * columns), columns };
}

/** result = X Xᵀ / √d */
function score(x: Grid, result: Float64Array): void {
  gram(x, result);
  const scale = Math.sqrt(x.columns);
  for (let i = 0; i < result.length; i++) result[i]! /= scale;
}
