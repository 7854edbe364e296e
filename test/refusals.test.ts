import { describe, expect, test } from 'vitest';
import {
  type DistillationStrategyBase,
  type EvaluationOptions,
  float64,
  type Labels,
  Matrix,
} from '../src/index.js';
import type { StrategySubject } from '../src/testing/index.js';
import { subjects } from './subjects/index.js';
import { describeKernels } from './support/describeKernels.js';
import { WITH_KERNELS } from './support/exportedStrategies.js';
import { refusal, wrong } from './support/refusal.js';

// What every strategy refuses, in the same words: the argument is named, and where the number
// stands.

type Doubles = Matrix<Float64Array>;

interface Call {
  student: Doubles;
  teacher: Doubles;
  labels: Labels<Float64Array> | undefined;
  options: EvaluationOptions<Float64Array>;
}

const ROWS = 3;

/** A call that every strategy of the subject takes. */
function callOf(subject: StrategySubject): Call {
  const { columns = 4 } = subject;
  const widths = typeof columns === 'number' ? { student: columns, teacher: columns } : columns;
  const side = (width: number, shift: number) =>
    Matrix.fromRows(
      Array.from({ length: ROWS }, (_, i) =>
        Array.from({ length: width }, (_, j) =>
          subject.values === 'probabilities' ? 1 / width : ((7 * i + 5 * j + shift) % 11) / 4 - 1,
        ),
      ),
      float64,
    );
  return {
    student: side(widths.student, 3),
    teacher: side(widths.teacher, 1),
    labels: subject.labels === 'classes' ? Int32Array.of(0, 1, 0) : undefined,
    options: {},
  };
}

function withEntry(matrix: Doubles, row: number, column: number, value: number): Doubles {
  const copy = matrix.clone();
  copy.data[row * copy.columns + column] = value; // `set` would refuse it
  return copy;
}

interface Refusal {
  readonly code?: string;
  readonly argument: string;
  readonly row?: number;
  readonly column?: number;
}

/** What is wrong with a call, and what the error has to say of it. */
const MISTAKES: Record<string, [(call: Call) => Partial<Call>, Refusal]> = {
  'a NaN of the student': [
    ({ student }) => ({ student: withEntry(student, 1, 0, Number.NaN) }),
    { code: 'NOT_FINITE', argument: 'student', row: 1, column: 0 },
  ],
  'a NaN of the teacher': [
    ({ teacher }) => ({ teacher: withEntry(teacher, 2, 1, Number.NaN) }),
    { code: 'NOT_FINITE', argument: 'teacher', row: 2, column: 1 },
  ],
  'an infinity of the student': [
    ({ student }) => ({ student: withEntry(student, 0, 1, Infinity) }),
    { code: 'NOT_FINITE', argument: 'student', row: 0, column: 1 },
  ],
  'a teacher of fewer rows': [
    ({ teacher }) => ({ teacher: new Matrix(teacher.row(0), 1, teacher.columns) }),
    { code: 'SHAPE_MISMATCH', argument: 'teacher' },
  ],
  'a teacher in another number format': [
    ({ teacher }) => ({
      teacher: wrong(new Matrix(Float32Array.from(teacher.data), ROWS, teacher.columns)),
    }),
    { code: 'DTYPE_MISMATCH', argument: 'teacher' },
  ],
  'no student': [() => ({ student: wrong(null) }), { argument: 'student' }],
  'rows for a teacher': [
    ({ teacher }) => ({ teacher: wrong(teacher.toRows()) }),
    { argument: 'teacher' },
  ],
  'labels of fewer rows': [
    () => ({ labels: Int32Array.of(0) }),
    { code: 'SHAPE_MISMATCH', argument: 'labels' },
  ],
  'a mask of fewer rows': [
    () => ({ options: { mask: [1] } }),
    { code: 'SHAPE_MISMATCH', argument: 'mask' },
  ],
  'a normalizer of 0': [
    () => ({ options: { normalizer: 0 } }),
    { code: 'OUT_OF_RANGE', argument: 'normalizer' },
  ],
  'an option that there is not': [
    () => ({ options: wrong({ normaliser: 3 }) }),
    { code: 'UNKNOWN_OPTION', argument: 'options' },
  ],
};

for (const [name, cells] of Object.entries(subjects)) {
  const tests = WITH_KERNELS.includes(name) ? describeKernels : describe;
  tests(`${name} refuses`, () => {
    for (const [cell, subject] of Object.entries(cells)) {
      const create = () => wrong<DistillationStrategyBase<Float64Array>>(subject.create(float64));
      const run = ({ student, teacher, labels, options }: Call) =>
        create().computeLossAndGradient(student, teacher, labels, options);

      const mistakes = Object.entries(MISTAKES).filter(
        ([mistake]) => subject.readsTeacher !== false || mistake !== 'a NaN of the teacher',
      );

      test.each(mistakes)(`%s: ${cell}`, (_, [change, expected]) => {
        const call = callOf(subject);
        expect(() => run(call)).not.toThrow();
        const gradient = Matrix.zeros(ROWS, call.student.columns, float64);
        gradient.data.fill(7);
        const changed = { ...call, ...change(call) };
        // Arguments are checked before anything is written; numbers are found unusable after.
        const accumulate = expected.code === 'NOT_FINITE';
        const bad = { ...changed, options: { ...changed.options, gradient, accumulate } };
        expect(refusal(() => run(bad))).toMatchObject(expected);
        expect(new Set(gradient.data)).toEqual(new Set([7]));
      });

      test(`a gradient in the memory of the student: ${cell}`, () => {
        const call = callOf(subject);
        const overlapping = { ...call, options: { gradient: call.student } };
        expect(refusal(() => run(overlapping))).toMatchObject({ code: 'OVERLAP' });
      });
    }
  });
}
