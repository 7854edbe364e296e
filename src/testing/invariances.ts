import type { DistillationCase } from './cases.js';

/** A change of the inputs that does not change the loss of a strategy. */
export type Invariance =
  /** A constant is added to each row of the student and of the teacher. */
  | 'row-shift'
  /** The same vector is added to every row of the student. */
  | 'translation'
  /** The rows are in another order. */
  | 'row-order'
  /** The columns are in another order, the same on both sides. */
  | 'column-order'
  /** The student is multiplied by a positive number. */
  | 'student-scale'
  /** The teacher is multiplied by a positive number. */
  | 'teacher-scale';

/** All invariances. */
export const INVARIANCES: readonly Invariance[] = [
  ...(['row-shift', 'translation', 'row-order', 'column-order'] as const),
  ...(['student-scale', 'teacher-scale'] as const),
];

const SCALE = 3.7;

/** Applies the change to a call. */
export function applyChange(invariance: Invariance, example: DistillationCase): DistillationCase {
  const { student, teacher, labels, mask, rowWeights, temperatures } = example;
  const map = (rows: number[][], change: (value: number, row: number) => number) =>
    rows.map((values, row) => values.map((value) => change(value, row)));
  switch (invariance) {
    case 'row-shift':
      return {
        ...example,
        student: map(student, (value, row) => value + row - 1.5),
        teacher: map(teacher, (value, row) => value + 2.5 * row),
      };
    case 'translation':
      return {
        ...example,
        student: student.map((row) => row.map((value, column) => value + 1.5 * column - 2)),
      };
    case 'row-order':
      return {
        ...example,
        student: reversed(student),
        teacher: reversed(teacher),
        labels: labels && reversed(labels),
        mask: mask && reversed(mask),
        rowWeights: rowWeights && reversed(rowWeights),
        temperatures: temperatures && reversed(temperatures),
      };
    case 'column-order':
      return {
        ...example,
        student: student.map((row) => reversed(row)),
        teacher: teacher.map((row) => reversed(row)),
        labels: labels?.map((label) =>
          typeof label === 'number' ? reversedClass(label, student[0]!.length) : reversed(label),
        ),
      };
    case 'student-scale':
      return { ...example, student: map(student, (value) => SCALE * value) };
    case 'teacher-scale':
      return { ...example, teacher: map(teacher, (value) => SCALE * value) };
  }
}

function reversed<E>(values: readonly E[]): E[] {
  return [...values].reverse();
}

function reversedClass(label: number, columns: number): number {
  return label < 0 ? label : columns - 1 - label;
}

/** Returns the gradient that is expected after the change. */
export function gradientAfterChange(invariance: Invariance, gradient: number[][]): number[][] {
  switch (invariance) {
    case 'row-order':
      return reversed(gradient);
    case 'column-order':
      return gradient.map((row) => reversed(row));
    case 'student-scale':
      return gradient.map((row) => row.map((value) => value / SCALE));
    default:
      return gradient;
  }
}
