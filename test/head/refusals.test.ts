import { describe, expect, test } from 'vitest';
import {
  ContrastiveMemory,
  ContrastiveRepresentationDistillationStrategy,
  computeThroughHead,
  type DistillationStrategyBase,
  FeatureDistillationStrategy,
  type HeadLogits,
  HybridDistillationStrategy,
  IGNORE_INDEX,
  Matrix,
  MultiLevelDistillationStrategy,
  ResponseDistillationStrategy,
  type RowwiseStrategy,
  SimilarityPreservingDistillationStrategy,
  SparseTargets,
  type ThroughHeadOptions,
} from '../../src/index.js';
import { refusal, wrong } from '../support/refusal.js';
import { wave } from '../support/wave.js';

const [ROWS, WIDTH, COLUMNS] = [6, 3, 5];

function headOf(phase: number, width = WIDTH): HeadLogits & { bias: Matrix } {
  return {
    hidden: wave(ROWS, width, phase),
    weight: wave(width, COLUMNS, phase + 1),
    bias: wave(1, COLUMNS, phase + 2),
  };
}

function withNumber(matrix: Matrix, row: number, column: number, value: number): Matrix {
  const copy = matrix.clone();
  copy.data[row * copy.columns + column] = value; // `set` would refuse the value
  return copy;
}

const strategy = new ResponseDistillationStrategy({ temperature: 2 });
const student = headOf(0);
const teacher = headOf(5, 2);

describe('computeThroughHead names the row of the batch', () => {
  const chunked = { chunkRows: 2 };

  test.each([
    [
      'student.hidden',
      { student: { ...student, hidden: withNumber(student.hidden, 5, 1, NaN) } },
      5,
      1,
    ],
    [
      'student.weight',
      { student: { ...student, weight: withNumber(student.weight, 2, 3, NaN) } },
      2,
      3,
    ],
    [
      'student.bias',
      { student: { ...student, bias: withNumber(student.bias, 0, 4, Infinity) } },
      0,
      4,
    ],
    [
      'teacher.hidden',
      { teacher: { ...teacher, hidden: withNumber(teacher.hidden, 3, 0, NaN) } },
      3,
      0,
    ],
    [
      'teacher.weight',
      { teacher: { ...teacher, weight: withNumber(teacher.weight, 1, 2, NaN) } },
      1,
      2,
    ],
    ['teacher', { teacher: withNumber(wave(ROWS, COLUMNS, 2), 4, 3, NaN) }, 4, 3],
  ] as const)('with an element of %s that is not finite', (argument, sides, row, column) => {
    const call = { student, teacher, ...sides };
    const error = refusal(() =>
      computeThroughHead(strategy, call.student, call.teacher, undefined, chunked),
    );
    expect(error).toMatchObject({ code: 'NOT_FINITE', argument, row, column });
    expect(error.message).toMatch(
      new RegExp(`^computeThroughHead.*: ${argument} row ${row}, column ${column} is `),
    );
  });

  test('whose logits overflow while hidden and weight are finite', () => {
    const hidden = student.hidden.clone();
    hidden.row(5).fill(3e38);
    const weight = Matrix.fromRows(Array.from({ length: WIDTH }, () => [3, 3, 3, 3, 3]));
    const call = () =>
      computeThroughHead(strategy, { hidden, weight }, teacher, undefined, chunked);
    expect(refusal(call)).toMatchObject({ argument: 'student logits', row: 5, code: 'NOT_FINITE' });
  });

  test('whose gradient with respect to the logits overflows', () => {
    const rowWeights = [1, 1, 1, 1, 1, 3e38];
    const targets = wave(ROWS, COLUMNS, 2);
    targets.row(5).fill(40);
    const options = { ...chunked, rowWeights, normalizer: 1 };
    const feature = new FeatureDistillationStrategy();
    const call = () => computeThroughHead(feature, student, targets, undefined, options);
    expect(refusal(call)).toMatchObject({ argument: 'gradient', row: 5, code: 'OVERFLOW' });
  });

  test('in which only the student rules out a class', () => {
    const bias = withNumber(student.bias, 0, 1, -Infinity);
    const targets = wave(ROWS, COLUMNS, 2);
    for (const row of [0, 1, 2, 3]) targets.row(row)[1] = -Infinity;
    const call = () =>
      computeThroughHead(strategy, { ...student, bias }, targets, undefined, chunked);
    expect(refusal(call)).toMatchObject({
      argument: 'student logits',
      code: 'RULED_OUT',
      row: 4,
      column: 1,
    });
    for (const row of [4, 5]) targets.row(row)[1] = -Infinity;
    expect(call().loss).toBeGreaterThan(0); // a class that both sides rule out
  });

  test('in which the student rules out the tail, and keeps the hint', () => {
    const bias = withNumber(student.bias, 0, 4, -Infinity);
    const targets = new SparseTargets({
      indices: Int32Array.from({ length: ROWS * 4 }, (_, i) => i % 4), // all classes but 4
      logProbabilities: Matrix.fromRows(
        Array.from({ length: ROWS }, (_, row) =>
          new Array(4).fill(Math.log(row < 3 ? 0.25 : 0.125)),
        ),
      ),
      columns: COLUMNS,
      temperature: 2,
    });
    const call = () =>
      computeThroughHead(strategy, { ...student, bias }, targets, undefined, chunked);
    expect(refusal(call)).toMatchObject({ argument: "the student's tail", row: 3 });
    expect(refusal(call).message).toMatch(
      /the student's tail row 3 must be above -Infinity where the teacher is, got -Infinity; take tail: 'renormalize'$/,
    );
  });

  test.each([
    ['labels', 4, { labels: Int32Array.of(0, 1, 2, 3, COLUMNS, 0) }],
    [
      "teacher's indices",
      3,
      {
        teacher: new SparseTargets({
          indices: Int32Array.of(0, 1, 2, 9, 0, 1),
          logProbabilities: Matrix.zeros(ROWS, 1),
          columns: COLUMNS,
          temperature: 2,
        }),
      },
    ],
  ] as const)('of %s', (argument, row, change) => {
    const call = { teacher, labels: undefined, ...change };
    const error = refusal(() =>
      computeThroughHead(strategy, student, call.teacher, call.labels, chunked),
    );
    expect(error).toMatchObject({ argument, row, code: 'OUT_OF_RANGE' });
  });
});

describe('computeThroughHead refuses', () => {
  /** Types a strategy of a JavaScript caller. */
  const passed = (of: DistillationStrategyBase) => wrong<RowwiseStrategy>(of);
  const together = new SimilarityPreservingDistillationStrategy();

  test.each([
    [together, 'SimilarityPreservingDistillationStrategy', 'MISPLACED_OPTION'],
    [new MultiLevelDistillationStrategy(), 'MultiLevelDistillationStrategy', 'MISPLACED_OPTION'],
    [
      new ContrastiveRepresentationDistillationStrategy({
        memory: new ContrastiveMemory(10, COLUMNS, { negatives: 2 }),
      }),
      'ContrastiveRepresentationDistillationStrategy',
      'MISPLACED_OPTION',
    ],
    [
      new HybridDistillationStrategy([
        { strategy, weight: 0.5 },
        { strategy: together, weight: 0.5, name: 'similarity' },
      ]),
      'HybridDistillationStrategy → similarity',
      'MISPLACED_OPTION',
    ],
    [
      new HybridDistillationStrategy([{ strategy, weight: 1, layer: 'output', name: 'kl' }]),
      'HybridDistillationStrategy → kl',
      'LAYER',
    ],
    [
      new HybridDistillationStrategy([
        {
          strategy: {
            temperature: 1,
            alpha: 0,
            computeLoss: () => 0,
            computeGradient: (of: Matrix) => of,
          },
          weight: 1,
          name: 'bare',
        },
      ]),
      'HybridDistillationStrategy → bare',
      'MISPLACED_OPTION',
    ],
  ])('%o', (of, argument, code) => {
    const call = () => computeThroughHead(passed(of), student, wave(ROWS, COLUMNS, 2));
    expect(refusal(call)).toMatchObject({ operation: 'computeThroughHead', argument, code });
  });

  test('no entry of weight 0', () => {
    const entries = [
      { strategy, weight: 1 },
      { strategy: together, weight: 0 },
    ];
    const { loss } = computeThroughHead(new HybridDistillationStrategy(entries), student, teacher);
    expect(loss).toBe(computeThroughHead(strategy, student, teacher).loss);
  });

  test.each<[string, Partial<ErrorCase>, RegExp]>([
    [
      'a weight of nn.Linear',
      { student: { ...student, weight: wave(COLUMNS, WIDTH, 1) } },
      /student\.weight has shape \[5, 3\], expected \[3, 3\].*transpose it/,
    ],
    [
      'a bias of another width',
      { student: { ...student, bias: wave(1, 4, 1) } },
      /student\.bias has shape \[1, 4\], expected \[1, 5\]/,
    ],
    [
      'hidden states of the teacher for other rows',
      { teacher: { ...teacher, hidden: wave(2, 2, 1) } },
      /teacher\.hidden has shape \[2, 2\], expected \[6, 2\]/,
    ],
    [
      'a teacher of other columns',
      { teacher: wave(ROWS, 4, 1), options: { chunkRows: 4 } },
      /teacher has shape \[6, 4\], expected \[6, 5\]/,
    ],
    [
      'options in place of labels',
      { labels: wrong({ chunkRows: 2 }) },
      /labels must be a Matrix or an Int32Array.*options come after the labels/,
    ],
    [
      'an unknown option',
      { options: wrong({ chunkRow: 2 }) },
      /unknown option "chunkRow"; did you mean "chunkRows"/,
    ],
    [
      'a chunk of no rows',
      { options: { chunkRows: 0 } },
      /chunkRows must be an integer ≥ 1, got 0/,
    ],
    [
      'nothing to add to',
      { options: { accumulate: true } },
      /accumulate must come with gradients to add to/,
    ],
    [
      'a gradient of a bias that is not there',
      {
        student: { hidden: student.hidden, weight: student.weight },
        options: { gradients: { bias: Matrix.zeros(1, COLUMNS) } },
      },
      /gradients\.bias must come with student\.bias/,
    ],
    [
      'a gradient of another shape',
      { options: { gradients: { weight: Matrix.zeros(COLUMNS, WIDTH) } } },
      /gradients\.weight has shape \[5, 3\], expected \[3, 5\]/,
    ],
    [
      'a gradient in the memory of an input',
      {
        options: {
          gradients: { weight: teacher.weight.rows === WIDTH ? teacher.weight : student.weight },
        },
      },
      /gradients\.weight must share no memory with student\.weight/,
    ],
    [
      'losses of rows of another number',
      { options: { rowLosses: new Float64Array(2) } },
      /rowLosses has shape \[2\], expected \[6\]/,
    ],
    [
      'what is no strategy',
      { strategy: wrong({ computeLoss: () => 0 }) },
      /strategy must extend DistillationStrategyBase/,
    ],
  ])('%s', (_, change, message) => {
    const call = { strategy, student, teacher, labels: undefined, options: {}, ...change };
    const compute = () =>
      computeThroughHead(call.strategy, call.student, call.teacher, call.labels, call.options);
    expect(refusal(compute).message).toMatch(message);
  });

  test('temperatures of rows for a loss without temperature', () => {
    const temperatures = new Array(ROWS).fill(1);
    const call = () =>
      computeThroughHead(new FeatureDistillationStrategy(), student, teacher, undefined, {
        temperatures,
      });
    expect(refusal(call)).toMatchObject({ argument: 'temperatures', code: 'MISPLACED_OPTION' });
  });
});

interface ErrorCase {
  readonly strategy: RowwiseStrategy<Float32Array, SparseTargets>;
  readonly student: HeadLogits;
  readonly teacher: Matrix | HeadLogits;
  readonly labels: Int32Array | undefined;
  readonly options: ThroughHeadOptions;
}

describe('gradients of computeThroughHead', () => {
  const given = () => {
    const filled = (rows: number, columns: number) => wave(rows, columns, 9);
    return {
      hidden: filled(ROWS, WIDTH),
      weight: filled(WIDTH, COLUMNS),
      bias: filled(1, COLUMNS),
    };
  };
  const mask = [1, 0, 1, 1, 1, 0];
  const fresh = computeThroughHead(strategy, student, teacher, undefined, { mask }).gradients;

  test.each([1, 2, 100])('are overwritten, in chunks of %i rows', (chunkRows) => {
    const gradients = given();
    const options = { mask, gradients, chunkRows: 100 };
    const result = computeThroughHead(strategy, student, teacher, undefined, options);
    for (const name of ['hidden', 'weight', 'bias'] as const) {
      expect(result.gradients[name]).toBe(gradients[name]);
      expect(gradients[name].data).toEqual(fresh[name]!.data);
    }
    computeThroughHead(strategy, student, teacher, undefined, { ...options, chunkRows });
    expect(Array.from(gradients.hidden.row(1))).toEqual([0, 0, 0]); // excluded
    for (const [i, value] of fresh.weight.data.entries()) {
      expect(gradients.weight.data[i]).toBeCloseTo(value, 6);
    }
  });

  test('accumulate on request', () => {
    const { weight, bias } = given();
    const before = given();
    const gradients = { weight, bias };
    const result = computeThroughHead(strategy, student, teacher, undefined, {
      mask,
      gradients,
      accumulate: true,
      chunkRows: 2,
    });
    expect(result.gradients.hidden.data).not.toEqual(before.hidden.data);
    for (const name of ['weight', 'bias'] as const) {
      for (const [i, value] of fresh[name]!.data.entries()) {
        expect(gradients[name].data[i]).toBeCloseTo(before[name].data[i]! + value, 6);
      }
    }
  });

  test.each([
    ['labels', Int32Array.of(0, 1, 2, 3, 4, 99), student, false],
    ['labels', Int32Array.of(0, 1, 2, 3, 4, 99), student, true],
    ['hidden', undefined, { ...student, hidden: withNumber(student.hidden, 5, 0, NaN) }, true],
  ] as const)('stay as they were after an error in %s', (_, labels, of, accumulate) => {
    const gradients = given();
    const rowLosses = new Float64Array(ROWS).fill(7);
    const options = { gradients, accumulate, rowLosses, chunkRows: 2 };
    expect(() => computeThroughHead(strategy, of, teacher, labels, options)).toThrow();
    expect(gradients).toEqual(given());
    if (labels) expect(rowLosses).toEqual(new Float64Array(ROWS).fill(7));
  });

  test('stay as they were after an error in an entry of a hybrid', () => {
    const gradients = given();
    const hybrid = new HybridDistillationStrategy([
      { strategy: new FeatureDistillationStrategy(), weight: 0.5 },
      { strategy, weight: 0.5 },
    ]);
    const labels = Int32Array.of(0, 1, 2, 3, 4, 99);
    expect(() => computeThroughHead(hybrid, student, teacher, labels, { gradients })).toThrow(
      /computeThroughHead → HybridDistillationStrategy → ResponseDistillationStrategy: labels row 5/,
    );
    expect(gradients).toEqual(given());
  });

  test('without rows are zeros', () => {
    const gradients = given();
    const labels = new Int32Array(ROWS).fill(IGNORE_INDEX);
    const result = computeThroughHead(strategy, student, teacher, labels, { gradients });
    expect([result.loss, result.count]).toEqual([0, 0]);
    for (const { data } of Object.values(gradients)) expect(data.every((x) => x === 0)).toBe(true);
  });

  test('ignore excluded rows', () => {
    const hidden = withNumber(student.hidden, 1, 0, NaN);
    const result = computeThroughHead(strategy, { ...student, hidden }, teacher, undefined, {
      mask,
      chunkRows: 3,
    });
    const expected = computeThroughHead(strategy, student, teacher, undefined, {
      mask,
      chunkRows: 3,
    });
    expect(result).toEqual(expected);
  });
});

test('the components of a hybrid add up over chunks', () => {
  const hybrid = new HybridDistillationStrategy([
    { strategy: new FeatureDistillationStrategy(), weight: 0.25, name: 'logits' },
    { strategy, weight: 0.75 },
  ]);
  const targets = wave(ROWS, COLUMNS, 2);
  const whole = computeThroughHead(hybrid, student, targets);
  const parts = computeThroughHead(hybrid, student, targets, undefined, { chunkRows: 2 });
  expect(parts.components?.map(({ name, count }) => [name, count])).toEqual([
    ['logits', ROWS],
    ['ResponseDistillationStrategy', ROWS],
  ]);
  for (const [i, { loss, weighted }] of whole.components!.entries()) {
    expect(parts.components![i]!.loss).toBeCloseTo(loss, 6);
    expect(parts.components![i]!.weighted).toBeCloseTo(weighted, 6);
  }
  const sum = parts.components!.reduce((total, { weighted }) => total + weighted, 0);
  expect(sum).toBeCloseTo(parts.loss, 12);
});
