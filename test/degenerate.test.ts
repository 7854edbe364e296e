import { describe, expect, test } from 'vitest';
import { type FloatArray, float32, float64, Matrix, type NumericTrait } from '../src/index.js';
import type { StrategySubject } from '../src/testing/index.js';
import { subjects } from './subjects/index.js';
import { describeKernels } from './support/describeKernels.js';
import { WITH_KERNELS } from './support/exportedStrategies.js';

// Every strategy where formulas divide by 0 or take the root of it: rows that are equal, zero, constant or alone, sides that
// are the same, as few columns as there can be. The laws come across these too, but not all at once in every run.

type Rows = readonly (readonly number[])[];

const PATTERNS: Record<string, (row: number, column: number) => number> = {
  'ordinary rows': (row, column) => ((7 * row + 5 * column + 3) % 11) / 4 - 1,
  'equal rows': (_, column) => ((5 * column + 2) % 11) / 4 - 1,
  'constant rows': (row) => row / 2 - 0.75,
  'equal constant rows': () => 1.25,
  'zero rows': () => 0,
  'one row that is zero': (row, column) => (row === 0 ? 0 : ((7 * row + 3 * column) % 11) / 4),
};

interface Example {
  readonly name: string;
  readonly student: Rows;
  readonly teacher: Rows;
}

function rowsOf(subject: StrategySubject, pattern: string, rows: number, columns: number): Rows {
  const values = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => PATTERNS[pattern]!(i, j)),
  );
  return subject.values === 'probabilities' ? values.map(distribution) : values;
}

function distribution(values: readonly number[]): number[] {
  const weights = values.map(Math.exp);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => Math.fround(weight / sum));
}

function widthsOf({ columns = 2 }: StrategySubject): { student: number; teacher: number } {
  return typeof columns === 'number' ? { student: columns, teacher: columns } : columns;
}

/** Each pattern of the student beside each of the teacher, in three rows and in one. */
function* examples(subject: StrategySubject): Generator<Example> {
  const least = widthsOf(subject);
  const widths = subject.columns === undefined ? [least, { student: 5, teacher: 5 }] : [least];
  for (const { student, teacher } of widths) {
    for (const rows of [1, 3]) {
      for (const own of Object.keys(PATTERNS)) {
        for (const other of Object.keys(PATTERNS)) {
          yield {
            name: `${rows} × ${student}, ${own} beside ${other}`,
            student: rowsOf(subject, own, rows, student),
            teacher: rowsOf(subject, other, rows, teacher),
          };
        }
      }
    }
  }
}

function isLeast(
  { minimum = 0, reachesMinimum, labels, isRegular = () => true }: StrategySubject,
  { student, teacher }: Example,
): boolean {
  const isEqual = JSON.stringify(student) === JSON.stringify(teacher);
  if (minimum !== 0 || reachesMinimum === false || labels === 'classes' || !isEqual) return false;
  return student.every((row, index) => isRegular(row, index, student));
}

function check<T extends FloatArray>(
  subject: StrategySubject,
  numeric: NumericTrait<T>,
  example: Example,
): void {
  const student = Matrix.fromRows(example.student, numeric);
  const teacher = Matrix.fromRows(example.teacher, numeric);
  const classes = Int32Array.from(example.student, (row, index) => index % row.length);
  for (const labels of subject.labels === 'classes' ? [classes] : [undefined, classes]) {
    const strategy = subject.create(numeric);
    const loss = strategy.computeLoss(student, teacher, labels);
    const gradient = strategy.computeGradient(student, teacher, labels);
    const values = [loss, ...gradient.data];
    const most = Math.max(...values.map(Math.abs)); // NaN if one is
    const isMinimum = labels === undefined && isLeast(subject, example);
    const bound = isMinimum ? Math.max(1e-12, 4 * numeric.epsilon) : Number.MAX_VALUE;
    if (!(most <= bound)) throw new Error(`${example.name}: loss and gradient are ${values}`);
  }
}

for (const [strategy, cells] of Object.entries(subjects)) {
  const tests = WITH_KERNELS.includes(strategy) ? describeKernels : describe;
  tests(`${strategy} of degenerate input`, () => {
    for (const [cell, subject] of Object.entries(cells)) {
      test.each([float32, float64])(
        `is finite, and 0 where the sides are equal: ${cell}, $dtype`,
        (numeric) => {
          const all = () => {
            for (const example of examples(subject)) check<FloatArray>(subject, numeric, example);
          };
          expect(all).not.toThrow();
        },
      );
    }
  });
}
