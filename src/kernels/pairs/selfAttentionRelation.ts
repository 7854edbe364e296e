// How the vectors of the tokens of one sequence relate to each other, head by head.

import type { Grid } from '../products/grid.js';
import { scoreDivergences } from '../rows/scoreRows.js';
import { addGramAdjoint, gram } from './gram.js';

/** The scratch memory for sequences of a number of tokens. */
interface Room {
  readonly rows: number;
  readonly studentScores: Float64Array;
  readonly teacherScores: Float64Array;
  readonly slopes: Float64Array;
  readonly own: Float64Array;
}

function roomFor(rows: number, width: number): Room {
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
 * Mean over heads and rows of KL(R(teacher) ‖ R(student)), R = softmax(X Xᵀ / √d) of the d columns
 * X of a head, for one sequence after another. Where `derivative` is given, it is written with the
 * derivative by the student.
 */
export function selfRelationDivergence(
  heads: number,
): (student: Grid, teacher: Grid, derivative: Float64Array | undefined) => number {
  let room: Room | undefined;
  return (student, teacher, derivative) => {
    const { rows } = student;
    const width = student.columns / heads;
    if (room?.rows !== rows) room = roomFor(rows, width);
    const { studentScores, teacherScores, slopes, own } = room;
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

/** The columns of one head. */
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
