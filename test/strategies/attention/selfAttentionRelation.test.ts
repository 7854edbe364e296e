import { describe, expect, test } from 'vitest';
import { float64, Matrix, SelfAttentionRelationDistillationStrategy } from '../../../src/index.js';
import { assertGradient } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';

proveStrategy(SelfAttentionRelationDistillationStrategy, {
  'one head': {
    create: () => new SelfAttentionRelationDistillationStrategy({ heads: 1 }),
    values: 'features',
    sumOverRows: false,
    invariances: ['row-order', 'column-order'],
  },
  'two heads': {
    create: () => new SelfAttentionRelationDistillationStrategy({ heads: 2 }),
    values: 'features',
    columns: 4,
    sumOverRows: false,
    invariances: ['row-order', 'column-order'],
  },
  'heads of other widths': {
    create: () => new SelfAttentionRelationDistillationStrategy({ heads: 2 }),
    values: 'features',
    columns: { student: 2, teacher: 6 },
    sumOverRows: false,
    invariances: ['row-order', 'column-order'],
  },
  'a sequence of one token': {
    create: () => new SelfAttentionRelationDistillationStrategy({ heads: 1, positions: 1 }),
    values: 'features',
    sumOverRows: false, // a sum over sequences, although each is a single row here
    invariances: ['row-order', 'column-order', 'student-scale', 'teacher-scale', 'row-shift'],
  },
});

type Options = ConstructorParameters<typeof SelfAttentionRelationDistillationStrategy>[0];

function relation(options: Options): SelfAttentionRelationDistillationStrategy<Float64Array> {
  return new SelfAttentionRelationDistillationStrategy(options);
}

describe('SelfAttentionRelationDistillationStrategy by hand', () => {
  // Scores of the student: [[1, 0], [0, 0]]; of a zero teacher 0: its relation is ½ everywhere.
  const q = 1 / (1 + Math.exp(-1));

  test('is the mean over tokens of the divergence of their relations', () => {
    const { loss, gradient } = relation({ heads: 1 }).computeLossAndGradient(
      matrix([1], [0]),
      matrix([0], [0]),
    );
    expect(loss).toBeCloseTo(-0.25 * Math.log(4 * q * (1 - q)), 15);
    // d loss / d scores = ½ [[q − ½, ½ − q], [0, 0]], and a token is query and key
    expect(gradient.get(0, 0)).toBeCloseTo(q - 0.5, 15);
    expect(gradient.get(1, 0)).toBeCloseTo(-(q - 0.5) / 2, 15);
  });

  test("divides scores by the root of the head's width, on each side its own", () => {
    const strategy = relation({ heads: 1 });
    const student = matrix([2, 0, 0, 0], [0, 0, 0, 0]); // scores 4 / √4
    expect(strategy.computeLoss(student, matrix([Math.SQRT2], [0]))).toBeCloseTo(0, 15); // 2 / √1
  });

  test('groups columns by heads, and takes the mean over heads', () => {
    const [student, teacher] = [matrix([1, 3], [0, -2]), matrix([0, 1], [0, 0])];
    const one = relation({ heads: 1 });
    const first = one.computeLoss(matrix([1], [0]), matrix([0], [0]));
    const second = one.computeLoss(matrix([3], [-2]), matrix([1], [0]));
    const both = relation({ heads: 2 }).computeLoss(student, teacher);
    expect(both).toBeCloseTo((first + second) / 2, 15);
  });

  const student = [
    [1, 0.5],
    [0, -1],
    [2, 1],
    [0.5, 0],
    [-1, 1],
    [0.25, 2],
  ];
  const teacher = [
    [0, 1],
    [1, 1],
    [-1, 0.5],
    [2, 0],
    [1, -1],
    [0.5, 0.25],
  ];

  test('compares tokens within a sequence only', () => {
    const whole = relation({ heads: 1, positions: 3 });
    const single = relation({ heads: 1 });
    const halves = [0, 3].map((start) =>
      single.computeLossAndGradient(
        matrix(...student.slice(start, start + 3)),
        matrix(...teacher.slice(start, start + 3)),
        undefined,
        { normalizer: 6 },
      ),
    );
    const { loss, gradient } = whole.computeLossAndGradient(matrix(...student), matrix(...teacher));
    expect(loss).toBeCloseTo(halves[0]!.loss + halves[1]!.loss, 15);
    expect(gradient.toRows()).toEqual(halves.flatMap((half) => half.gradient.toRows()));
  });

  test('weights all kept tokens equally, in sequences of any length', () => {
    const strategy = relation({ heads: 1, positions: 3 });
    const mask = [1, 1, 0, 1, 1, 1];
    const call = [matrix(...student), matrix(...teacher), undefined, { mask }] as const;
    const single = relation({ heads: 1 });
    const short = single.computeLoss(
      matrix(...student.slice(0, 2)),
      matrix(...teacher.slice(0, 2)),
    );
    const long = single.computeLoss(matrix(...student.slice(3)), matrix(...teacher.slice(3)));
    expect(strategy.computeLoss(...call)).toBeCloseTo((2 * short + 3 * long) / 5, 15);
    assertGradient(strategy, ...call);
  });

  test('ignores the elements of padding', () => {
    const strategy = relation({ heads: 2, positions: 3 });
    const mask = [1, 1, 0, 1, 0, 0];
    const [clean, dirty] = [matrix(...student), matrix(...student)];
    const [cleanTeacher, dirtyTeacher] = [matrix(...teacher), matrix(...teacher)];
    for (const row of [2, 4, 5]) {
      dirty.row(row).fill(Number.NaN);
      dirtyTeacher.row(row).fill(Number.NaN);
    }
    const expected = strategy.computeLossAndGradient(clean, cleanTeacher, undefined, { mask });
    const received = strategy.computeLossAndGradient(dirty, dirtyTeacher, undefined, { mask });
    expect(received).toEqual(expected);
    expect(received.gradient.row(5)).toEqual(Float64Array.of(0, 0));
  });

  test('is exactly 0 for equal vectors, zero and duplicate rows included', () => {
    const vectors = matrix([0, 0], [1, 2], [1, 2], [1e4, -1e4]);
    const { loss, gradient } = relation({ heads: 2 }).computeLossAndGradient(
      vectors,
      vectors.clone(),
    );
    expect(loss).toBe(0);
    expect(gradient.data.every((value) => value === 0)).toBe(true);
  });

  test('relates the only token of a sequence to itself', () => {
    const { loss, gradient } = relation({ heads: 1, positions: 1 }).computeLossAndGradient(
      matrix([3], [-2]),
      matrix([1], [7]),
    );
    expect(loss).toBe(0);
    expect(gradient.toRows()).toEqual([[0], [0]]);
  });

  test.each<Options>([{ heads: 1 }, { heads: 1, positions: 3 }])(
    'is 0 without tokens, with %o',
    (options) => {
      const none = Matrix.zeros(0, 2, float64);
      const { loss, gradient } = relation(options).computeLossAndGradient(none, none);
      expect([loss, gradient.rows]).toEqual([0, 0]);
    },
  );

  test.each<[string, string, Options, number[][], number[][]]>([
    [
      'rows that are no whole sequences',
      'student',
      { heads: 1, positions: 2 },
      [[1], [2], [3]],
      [[1], [2], [3]],
    ],
    ['less than one sequence', 'student', { heads: 1, positions: 2 }, [[1]], [[1]]],
    [
      'a student whose width is no multiple of the heads',
      'student',
      { heads: 2 },
      [[1, 2, 3]],
      [[1, 2]],
    ],
    [
      'a teacher whose width is no multiple of the heads',
      'teacher',
      { heads: 2 },
      [[1, 2]],
      [[1, 2, 3]],
    ],
    ['a teacher narrower than the heads', 'teacher', { heads: 2 }, [[1, 2]], [[1]]],
  ])('refuses %s', (_, argument, options, ...[studentRows, teacherRows]) => {
    const call = () =>
      relation(options).computeLoss(matrix(...studentRows), matrix(...teacherRows));
    expect(refusal(call)).toMatchObject({ code: 'SHAPE_MISMATCH', argument });
  });

  test('names the divisor of the expected shape', () => {
    const call = () =>
      relation({ heads: 2, positions: 2 }).computeLoss(
        matrix([1, 2, 3], [4, 5, 6], [7, 8, 9]),
        matrix([1, 2], [1, 2], [1, 2]),
      );
    expect(refusal(call).message).toBe(
      'SelfAttentionRelationDistillationStrategy.computeLoss: student has shape [3, 3], expected [2, 2] (multiples of 2 positions and 2 heads)',
    );
  });

  test.each<[string, unknown, string]>([
    ['heads', { heads: 0 }, 'OUT_OF_RANGE'],
    ['heads', {}, 'WRONG_TYPE'],
    ['positions', { heads: 1, positions: 1.5 }, 'OUT_OF_RANGE'],
    ['options', { heads: 1, position: 1 }, 'UNKNOWN_OPTION'],
  ])('refuses bad %s', (argument, options, code) => {
    expect(refusal(() => relation(wrong(options)))).toMatchObject({
      operation: 'SelfAttentionRelationDistillationStrategy',
      argument,
      code,
    });
  });
});
