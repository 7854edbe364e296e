import type { CaseOptions, DistillationCase, Rows } from './cases.js';

// Inputs where formulas divide by 0 or differentiate a root at 0. The arbitraries make most of them
// too rarely for a run of 100 cases.

/** Returns the values of a matrix whose first row, or whose rows together, are degenerate. */
type Pattern = (row: number, column: number) => number;

const ordinary: Pattern = (row, column) => (((7 * row + 5 * column + 3) % 11) - 5) / 8;

const DEGENERATE: readonly Pattern[] = [
  (row, column) => (row === 0 ? 0 : ordinary(row, column)), // a row of zeros
  (row, column) => (row === 0 ? 0.5 : ordinary(row, column)), // a row of equal numbers
  (_, column) => ordinary(0, column), // equal rows
];

/**
 * Returns the cases that every law is tried on after the random ones: a row of zeros, a row of
 * equal numbers, and equal rows, on either side and on both; and student = teacher.
 */
export function degenerateCases(options: CaseOptions): DistillationCase[] {
  const teacherOf: Pattern = (row, column) => ordinary(row + 2, column + 1);
  const patterns: (readonly [Pattern, Pattern])[] = [
    [ordinary, ordinary],
    ...DEGENERATE.flatMap((pattern) => [
      [pattern, teacherOf] as const,
      [ordinary, pattern] as const,
      [pattern, pattern] as const,
    ]),
  ];
  return patterns.map(([student, teacher]) => caseOf(options, student, teacher));
}

function caseOf(
  { values, rows: maxRows = 4, columns = 3, labels }: CaseOptions,
  student: Pattern,
  teacher: Pattern,
): DistillationCase {
  const rows = Math.min(maxRows, 3);
  const widths = typeof columns === 'number' ? { student: columns, teacher: columns } : columns;
  const rowsOf = (pattern: Pattern, width: number): Rows => {
    const all = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: width }, (_, column) => pattern(row, column)),
    );
    return values === 'probabilities' ? all.map(distribution) : all;
  };
  return {
    student: rowsOf(student, widths.student),
    teacher: rowsOf(teacher, widths.teacher),
    labels:
      labels === 'classes'
        ? Array.from({ length: rows }, (_, row) => row % widths.student)
        : undefined,
    mask: undefined,
    normalizer: undefined,
  };
}

/** Returns the softmax of a row, in numbers that float32 holds. */
function distribution(row: readonly number[]): number[] {
  const sum = row.reduce((total, value) => total + Math.exp(value), 0);
  return row.map((value) => Math.fround(Math.exp(value) / sum));
}
