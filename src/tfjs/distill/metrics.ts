import type { TeacherOutput } from '../../call/batch.js';
import { classesOf, keptRows, type Labels } from '../../core/labels.js';
import type { Matrix } from '../../core/matrix.js';
import { NO_CLASS } from '../../teachers/raggedRows.js';
import type { Means } from './history.js';

/** The values of a batch of a validation. */
export interface ValidationBatch {
  readonly student: Matrix;
  readonly teacher: TeacherOutput | undefined;
  readonly labels: Labels | undefined;
  readonly mask: ArrayLike<number> | undefined;
}

/**
 * Adds the share of the rows in which the student's most probable class is the teacher's
 * (`agreement`), if both have the same classes, and the label (`accuracy`), if the labels are
 * classes.
 */
export function addMetrics(operation: string, means: Means, batch: ValidationBatch): void {
  const { student, teacher, labels, mask } = batch;
  const rows = keptRows(operation, student.rows, labels, mask);
  const predicted = rows.map((row) => mostProbableClass(student, row));
  const addShare = (name: string, expected: readonly number[]) => {
    const known = expected.filter((column) => column >= 0);
    const hits = predicted.filter((column, i) => column === expected[i]);
    means.add(name, hits.length / known.length, known.length);
  };
  if (teacher?.columns === student.columns) {
    addShare(
      'agreement',
      rows.map((row) => mostProbableClass(teacher, row)),
    );
  }
  const classes = labels && classesOf(labels, rows);
  if (classes)
    addShare(
      'accuracy',
      rows.map((row) => classes[row]!),
    );
}

/**
 * Returns the most probable class of a row; of equal ones, the first. It is `NO_CLASS` for a row of
 * a sparse teacher that keeps no class.
 */
function mostProbableClass(outputs: TeacherOutput, row: number): number {
  const { data, columns } = 'data' in outputs ? outputs : outputs.values;
  const start = row * columns;
  const classAt = (i: number) => ('data' in outputs ? i - start : outputs.indices[i]!);
  let best = NO_CLASS;
  let largest = -Infinity;
  for (let i = start; i < start + columns; i++) {
    const index = classAt(i);
    if (index === NO_CLASS) continue; // the value there is padding
    if (best !== NO_CLASS && !(data[i]! > largest)) continue;
    largest = data[i]!;
    best = index;
  }
  return best;
}
