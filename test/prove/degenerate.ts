import { expect, test } from 'vitest';
import { type FloatArray, float32, float64, Matrix, type NumericTrait } from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';
import { widthsOf } from './call.js';

// Inputs where formulas divide by 0 or differentiate a root at 0: rows that are equal, zero,
// constant or single, equal sides, and the smallest number of columns. The laws try only a few of
// these inputs in every run.

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
  readonly patterns: readonly [string, string];
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

/** Each pattern of the student with each of the teacher, in three rows and in one. */
function* examples(subject: StrategySubject): Generator<Example> {
  const least = widthsOf(subject, 2);
  const widths = subject.columns === undefined ? [least, { student: 5, teacher: 5 }] : [least];
  for (const { student, teacher } of widths) {
    for (const rows of [1, 3]) {
      for (const studentPattern of Object.keys(PATTERNS)) {
        for (const teacherPattern of Object.keys(PATTERNS)) {
          yield {
            patterns: [studentPattern, teacherPattern],
            name: `${rows} × ${student}, ${studentPattern} beside ${teacherPattern}`,
            student: rowsOf(subject, studentPattern, rows, student),
            teacher: rowsOf(subject, teacherPattern, rows, teacher),
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
    const most = Math.max(...values.map(Math.abs)); // NaN if an element is
    const isMinimum = labels === undefined && isLeast(subject, example);
    const bound = isMinimum ? Math.max(1e-12, 4 * numeric.epsilon) : Number.MAX_VALUE;
    if (!(most <= bound)) throw new Error(`${example.name}: loss and gradient are ${values}`);
  }
}

/**
 * Registers that loss and gradient of degenerate input are finite, and 0 where the sides are equal.
 */
export function proveDegenerate(subject: StrategySubject): void {
  test.each([float32, float64])(
    'loss and gradient of degenerate input are finite, and 0 where the sides are equal, $dtype',
    (numeric) => {
      const all = () => {
        for (const example of examples(subject)) check<FloatArray>(subject, numeric, example);
      };
      expect(all).not.toThrow();
    },
  );
}

/**
 * Replaces every element of the example in turn by NaN and by an infinity. Returns the calls that
 * did not refuse it.
 */
function unnoticed<T extends FloatArray>(
  subject: StrategySubject,
  numeric: NumericTrait<T>,
  example: Example,
): string[] {
  const student = Matrix.fromRows(example.student, numeric);
  const teacher = Matrix.fromRows(example.teacher, numeric);
  const labels = subject.labels === 'classes' ? new Int32Array(student.rows) : undefined;
  const calls: string[] = [];
  for (const [argument, matrix] of Object.entries({ student, teacher })) {
    if (argument === 'teacher' && subject.readsTeacher === false) continue;
    for (const [index, value] of matrix.data.entries()) {
      const [row, column] = [Math.floor(index / matrix.columns), index % matrix.columns];
      for (const unusable of [Number.NaN, Infinity]) {
        matrix.data[index] = unusable;
        const place = `${argument} row ${row}, column ${column} is ${unusable}`;
        try {
          subject.create(numeric).computeLoss(student, teacher, labels);
          calls.push(`${example.name}: ${place}`);
        } catch (error) {
          if (!(error instanceof Error && error.message.endsWith(place))) throw error;
        }
      }
      matrix.data[index] = value;
    }
  }
  return calls;
}

/**
 * Registers that an unusable element is refused at every place, also where other elements or a tiny
 * weight could hide it.
 */
export function proveUnusable(subject: StrategySubject): void {
  test.each([float32, float64])(
    'NaN and Infinity are refused at every place, $dtype',
    (numeric) => {
      const calls = [...examples(subject)]
        .filter(({ patterns: [first, second] }) => first === second || second === 'zero rows')
        .flatMap((example) => unnoticed<FloatArray>(subject, numeric, example));
      expect(calls).toEqual([]);
    },
  );
}
