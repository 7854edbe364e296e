import type { TeacherOutput } from '../../call/batch.js';
import { classesOf, keptRows, type Labels } from '../../core/labels.js';
import type { Matrix } from '../../core/matrix.js';
import { NO_CLASS } from '../../teachers/raggedRows.js';
import type { Means } from './history.js';

/** What is compared in a validation, once the values are read. */
export interface Judged {
  readonly student: Matrix;
  readonly teacher: TeacherOutput;
  readonly labels: Labels | undefined;
  readonly mask: ArrayLike<number> | undefined;
}

/**
 * Adds how often the student's most likely class is that of the teacher, if both know the same
 * classes, and that of the label, if there are labels of one class.
 */
export function addMetrics(operation: string, means: Means, judged: Judged): void {
  const { student, teacher, labels, mask } = judged;
  const rows = keptRows(operation, student.rows, labels, mask);
  const chosen = rows.map((row) => largestOf(student, row));
  const addShare = (name: string, expected: readonly number[]) => {
    const known = expected.filter((column) => column >= 0);
    const hits = chosen.filter((column, i) => column === expected[i]);
    means.add(name, hits.length / known.length, known.length);
  };
  if (teacher.columns === student.columns) {
    addShare(
      'agreement',
      rows.map((row) => mostLikelyOf(teacher, row)),
    );
  }
  const classes = labels && classesOf(labels, rows);
  if (classes)
    addShare(
      'accuracy',
      rows.map((row) => classes[row]!),
    );
}

function mostLikelyOf(teacher: TeacherOutput, row: number): number {
  if ('data' in teacher) return largestOf(teacher, row);
  const { values, indices } = teacher;
  const start = row * values.columns;
  let best = NO_CLASS;
  let largest = -Infinity;
  for (let i = start; i < start + values.columns; i++) {
    // The value beside no class is not read.
    if (indices[i] === NO_CLASS || !(values.data[i]! > largest)) continue;
    largest = values.data[i]!;
    best = indices[i]!;
  }
  return best;
}

/** The column of the largest element. */
function largestOf({ data, columns }: Matrix, row: number): number {
  const start = row * columns;
  let largest = start;
  for (let i = start + 1; i < start + columns; i++) if (data[i]! > data[largest]!) largest = i;
  return largest - start;
}
