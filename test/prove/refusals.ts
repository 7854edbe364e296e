import { expect, test } from 'vitest';
import {
  type DistillationStrategyBase,
  type EvaluationOptions,
  float64,
  type Labels,
  Matrix,
} from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';
import { refusal, wrong } from '../support/refusal.js';
import { ordinaryCall } from './call.js';

// Every strategy refuses these mistakes with the same message, which names the argument and the
// place of the element.

type Doubles = Matrix<Float64Array>;

interface Call {
  readonly student: Doubles;
  readonly teacher: Doubles;
  readonly labels: Labels<Float64Array> | undefined;
  readonly options: EvaluationOptions<Float64Array>;
}

const ROWS = 3;

function withElement(matrix: Doubles, row: number, column: number, value: number): Doubles {
  const copy = matrix.clone();
  copy.data[row * copy.columns + column] = value; // `set` would refuse the value
  return copy;
}

interface Refusal {
  readonly code?: string;
  readonly argument: string;
  readonly row?: number;
  readonly column?: number;
}

/** A change that makes a call invalid, and the expected fields of the error. */
const MISTAKES: Record<string, [(call: Call) => Partial<Call>, Refusal]> = {
  'a NaN of the student': [
    ({ student }) => ({ student: withElement(student, 1, 0, Number.NaN) }),
    { code: 'NOT_FINITE', argument: 'student', row: 1, column: 0 },
  ],
  'a NaN of the teacher': [
    ({ teacher }) => ({ teacher: withElement(teacher, 2, 1, Number.NaN) }),
    { code: 'NOT_FINITE', argument: 'teacher', row: 2, column: 1 },
  ],
  'an infinity of the student': [
    ({ student }) => ({ student: withElement(student, 0, 1, Infinity) }),
    { code: 'NOT_FINITE', argument: 'student', row: 0, column: 1 },
  ],
  'a teacher of fewer rows': [
    ({ teacher }) => ({ teacher: new Matrix(teacher.row(0), 1, teacher.columns) }),
    { code: 'SHAPE_MISMATCH', argument: 'teacher' },
  ],
  'a teacher of another dtype': [
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
  'an unknown option': [
    () => ({ options: wrong({ normaliser: 3 }) }),
    { code: 'UNKNOWN_OPTION', argument: 'options' },
  ],
};

/** Registers that invalid arguments are refused by name before anything is written. */
export function proveRefusals(subject: StrategySubject): void {
  const create = () => wrong<DistillationStrategyBase<Float64Array>>(subject.create(float64));
  const callOf = (): Call => ({ ...ordinaryCall(subject, ROWS, float64), options: {} });
  const run = ({ student, teacher, labels, options }: Call) =>
    create().computeLossAndGradient(student, teacher, labels, options);

  const mistakes = Object.entries(MISTAKES).filter(
    ([mistake]) => subject.readsTeacher !== false || mistake !== 'a NaN of the teacher',
  );

  test.each(mistakes)('refuses %s', (_, [change, expected]) => {
    const call = callOf();
    expect(() => run(call)).not.toThrow();
    const gradient = Matrix.zeros(ROWS, call.student.columns, float64);
    gradient.data.fill(7);
    const changed = { ...call, ...change(call) };
    // Arguments are checked before anything is written. Unusable elements are found during
    // evaluation, and then only an accumulated gradient is unchanged.
    const accumulate = expected.code === 'NOT_FINITE';
    const bad = { ...changed, options: { ...changed.options, gradient, accumulate } };
    expect(refusal(() => run(bad))).toMatchObject(expected);
    expect(new Set(gradient.data)).toEqual(new Set([7]));
  });

  test('refuses a gradient in the memory of the student', () => {
    const call = callOf();
    const overlapping = { ...call, options: { gradient: call.student } };
    expect(refusal(() => run(overlapping))).toMatchObject({ code: 'OVERLAP' });
  });
}
