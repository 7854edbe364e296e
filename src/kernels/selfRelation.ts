// How the vectors of the tokens of one sequence relate to each other, head by head.

import { addGramAdjoint, gram } from './gram.js';
import type { Grid } from './grid.js';
import { scoreDivergence } from './scores.js';

/**
 * Mean over heads and rows of KL(R(teacher) ‖ R(student)), R = softmax(X Xᵀ / √d) of the d columns X of a head. Where
 * `derivative` is given, it is written with the derivative by the student.
 */
export function selfRelationDivergence(
  student: Grid,
  teacher: Grid,
  heads: number,
  derivative: Float64Array | undefined,
): number {
  const { rows } = student;
  const width = student.columns / heads;
  const divergence = scoreDivergence(rows);
  const slopes = new Float64Array(rows * rows);
  const own = new Float64Array(rows * width);
  const scale = 1 / (heads * rows * Math.sqrt(width));
  let sum = 0;
  for (let head = 0; head < heads; head++) {
    const x = columnsOf(student, head, heads);
    const studentScores = scores(x);
    const teacherScores = scores(columnsOf(teacher, head, heads));
    for (let start = 0; start < rows * rows; start += rows) {
      const slope = derivative && slopes.subarray(start, start + rows);
      sum += divergence(studentScores, start, teacherScores, start, rows, slope);
    }
    if (!derivative) continue;
    own.fill(0);
    addGramAdjoint(slopes, x, own);
    for (let i = 0; i < rows; i++) {
      const start = i * student.columns + head * width;
      for (let j = 0; j < width; j++) derivative[start + j] = scale * own[i * width + j]!;
    }
  }
  return sum / (heads * rows);
}

/** The columns of one head. */
function columnsOf(vectors: Grid, head: number, heads: number): Grid {
  const columns = vectors.columns / heads;
  return { ...vectors, data: vectors.data.subarray(head * columns), columns };
}

/** X Xᵀ / √d */
function scores(x: Grid): Float64Array {
  const result = gram(x);
  const scale = Math.sqrt(x.columns);
  for (let i = 0; i < result.length; i++) result[i]! /= scale;
  return result;
}
