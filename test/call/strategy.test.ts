import { describe, expect, test } from 'vitest';
import {
  type DistillationBatch,
  DistillationStrategyBase,
  FeatureDistillationStrategy,
  float32,
  float64,
  type GradientSink,
  HybridDistillationStrategy,
  IGNORE_INDEX,
  Matrix,
  MultiLevelDistillationStrategy,
  meanOverRows,
  RelationalDistillationStrategy,
  ResponseDistillationStrategy,
  SimilarityPreservingDistillationStrategy,
  UNLABELED,
} from '../../src/index.js';
import { refusal, wrong } from '../support/refusal.js';

type Doubles = Float64Array;

function matrix(...rows: number[][]): Matrix<Doubles> {
  return Matrix.fromRows(rows, float64);
}

const student = matrix([1, 2, 3], [4, 5, 6]);
const teacher = matrix([3, 2, 1], [6, 5, 4]);
const response = new ResponseDistillationStrategy<Doubles>();
const feature = new FeatureDistillationStrategy<Doubles>();

describe('the options of every strategy', () => {
  test('temperature and alpha are 3 and 0.3 by default', () => {
    expect([response.temperature, response.alpha]).toEqual([3, 0.3]);
    const own = new ResponseDistillationStrategy({ temperature: 4, alpha: 0 });
    expect([own.temperature, own.alpha]).toEqual([4, 0]);
  });

  test.each<[string, unknown, string]>([
    ['temperature', 0, 'be a finite number > 0'],
    ['temperature', -1, 'be a finite number > 0'],
    ['temperature', Infinity, 'be a finite number > 0'],
    ['temperature', Number.NaN, 'be a finite number > 0'],
    ['alpha', -0.1, 'be in [0, 1]'],
    ['alpha', 1.1, 'be in [0, 1]'],
    ['alpha', Number.NaN, 'be in [0, 1]'],
  ])('%s %d is refused, by constructor and property', (option, value, expected) => {
    const fields = {
      name: 'DistillationError',
      code: 'OUT_OF_RANGE',
      operation: 'ResponseDistillationStrategy',
      argument: option,
      expected,
      received: String(value),
      message: `ResponseDistillationStrategy: ${option} must ${expected}, got ${value}`,
    };
    const construct = () => new ResponseDistillationStrategy(wrong<object>({ [option]: value }));
    expect(refusal(construct)).toMatchObject(fields);
    const strategy = new ResponseDistillationStrategy();
    expect(refusal(() => Object.assign(strategy, { [option]: value }))).toMatchObject(fields);
    expect([strategy.temperature, strategy.alpha]).toEqual([3, 0.3]);
  });

  test.each<[string, unknown, string]>([
    ['temperature', { temperature: '3' }, 'got "3"'],
    ['temperature', { temperature: null }, 'got null'],
    ['alpha', { alpha: true }, 'got true'],
    ['temperatureSquared', { temperatureSquared: 1 }, 'got 1'],
    ['options', null, 'got null'],
    ['options', 'soft', 'got "soft"'],
  ])('%s of the wrong type is a TypeError', (argument, options, received) => {
    const construct = () => new ResponseDistillationStrategy(wrong<object>(options));
    expect(construct).toThrow(TypeError);
    expect(refusal(construct)).toMatchObject({
      code: 'WRONG_TYPE',
      argument,
      message: expect.stringContaining(received),
    });
  });

  test('an unknown option is refused', () => {
    expect(
      refusal(() => new ResponseDistillationStrategy(wrong<object>({ temprature: 2 }))),
    ).toMatchObject({
      code: 'UNKNOWN_OPTION',
      message:
        'ResponseDistillationStrategy: unknown option "temprature"; did you mean "temperature"? Known options: temperature, alpha, temperatureSquared, standardizeLogits, teacherTemperature, tail',
    });
  });
});

describe('the arguments of every call', () => {
  const computeLoss =
    (...call: unknown[]) =>
    () =>
      response.computeLoss(...wrong<[Matrix<Doubles>, Matrix<Doubles>]>(call));

  test.each<[string, unknown[], string, string]>([
    [
      'teacher',
      [student, matrix([1, 2, 3])],
      'SHAPE_MISMATCH',
      "teacher has shape [1, 3], expected [2, 3] (the student's shape)",
    ],
    [
      'teacher',
      [student, matrix([1, 2], [3, 4])],
      'SHAPE_MISMATCH',
      "teacher has shape [2, 2], expected [2, 3] (the student's shape)",
    ],
    [
      'teacher',
      [student, teacher.as(float32)],
      'DTYPE_MISMATCH',
      'teacher must be float64, got float32; use teacher.as(float64)',
    ],
    [
      'labels',
      [student, teacher, Int32Array.of(0)],
      'SHAPE_MISMATCH',
      'labels has shape [1], expected [2] (one for each row)',
    ],
    [
      'labels',
      [student, teacher, Int32Array.of(0, 3)],
      'OUT_OF_RANGE',
      'labels row 1 must be a class in [0, 3), UNLABELED (-1) or IGNORE_INDEX (-100), got 3',
    ],
    [
      'labels',
      [student, teacher, Int32Array.of(-2, 0)],
      'OUT_OF_RANGE',
      'labels row 0 must be a class in [0, 3), UNLABELED (-1) or IGNORE_INDEX (-100), got -2',
    ],
    [
      'labels',
      [student, teacher, matrix([1, 0], [1, 0])],
      'SHAPE_MISMATCH',
      'labels has shape [2, 2], expected [2, 3] (as the student)',
    ],
    [
      'labels',
      [student, teacher, Matrix.oneHot([0, 1], 3)],
      'DTYPE_MISMATCH',
      'labels must be float64, got float32; use labels.as(float64)',
    ],
    [
      'labels',
      [student, teacher, matrix([1, 0, 0], [0.5, 0.6, 0])],
      'NOT_A_DISTRIBUTION',
      'labels row 1 must sum to 1 (±0.001), got 1.1',
    ],
    [
      'labels',
      [student, teacher, matrix([1, 0, 0], [0.5, -0.5, 1])],
      'NOT_A_DISTRIBUTION',
      'labels row 1, column 1 must be a probability in [0, 1], got -0.5',
    ],
    [
      'labels',
      [student, teacher, matrix([1, 0, 0], [Number.NaN, 1, 0])],
      'NOT_FINITE',
      'labels row 1, column 0 is NaN',
    ],
    [
      'mask',
      [student, teacher, undefined, { mask: [1] }],
      'SHAPE_MISMATCH',
      'mask has shape [1], expected [2] (one for each row)',
    ],
    [
      'mask',
      [student, teacher, undefined, { mask: [1, 0.5] }],
      'OUT_OF_RANGE',
      'mask row 1 must hold 0 or 1 for each row, got 0.5',
    ],
    [
      'normalizer',
      [student, teacher, undefined, { normalizer: 0 }],
      'OUT_OF_RANGE',
      'normalizer must be a finite number > 0, got 0',
    ],
    [
      'normalizer',
      [student, teacher, undefined, { normalizer: Infinity }],
      'OUT_OF_RANGE',
      'normalizer must be a finite number > 0, got Infinity',
    ],
  ])('%s that does not fit is refused', (argument, call, code, message) => {
    expect(refusal(computeLoss(...call))).toMatchObject({
      code,
      operation: 'ResponseDistillationStrategy.computeLoss',
      argument,
      message: `ResponseDistillationStrategy.computeLoss: ${message}`,
    });
  });

  test.each<[string, unknown[], string]>([
    [
      'student',
      [[[1, 2]], teacher],
      'student must be a Matrix, got an array; use Matrix.fromRows(student)',
    ],
    ['student', [undefined, teacher], 'student must be a Matrix, got undefined'],
    [
      'teacher',
      [student, new Float64Array(6)],
      'teacher must be a Matrix or SparseTargets, got an object of type Float64Array; use new Matrix(teacher, rows, columns)',
    ],
    [
      'labels',
      [student, teacher, [0, 1]],
      'labels must be a Matrix or an Int32Array, got an array; use Int32Array.from(labels)',
    ],
    [
      'labels',
      [student, teacher, null],
      'labels must be a Matrix or an Int32Array, got null; pass undefined where there are no labels',
    ],
    [
      'mask',
      [student, teacher, undefined, { mask: '11' }],
      'mask must hold 0 or 1 for each row, got "11"',
    ],
    [
      'mask[0]',
      [student, teacher, undefined, { mask: new Array(2) }],
      'mask[0] must be 0 or 1, got undefined',
    ],
    [
      'mask[1]',
      [student, teacher, undefined, { mask: [1, '0'] }],
      'mask[1] must be 0 or 1, got "0"',
    ],
    [
      'normalizer',
      [student, teacher, undefined, { normalizer: '2' }],
      'normalizer must be a finite number > 0, got "2"; use Number(normalizer)',
    ],
    ['options', [student, teacher, undefined, null], 'options must be an object, got null'],
  ])('%s of the wrong type is a TypeError', (argument, call, message) => {
    const refused = refusal(computeLoss(...call));
    expect(computeLoss(...call)).toThrow(TypeError);
    expect(refused).toMatchObject({
      code: 'WRONG_TYPE',
      argument,
      message: `ResponseDistillationStrategy.computeLoss: ${message}`,
    });
  });

  test('an unknown option is refused', () => {
    expect(refusal(computeLoss(student, teacher, undefined, { masks: [1, 1] }))).toMatchObject({
      code: 'UNKNOWN_OPTION',
      argument: 'options',
      received: '"masks"',
    });
  });

  test('a matrix with a transferred buffer is refused instead of read as empty', () => {
    const gone = student.clone();
    structuredClone(gone.data, { transfer: [wrong<ArrayBuffer>(gone.data.buffer)] });
    expect(refusal(() => response.computeLoss(gone, teacher))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument: 'student.data',
      received: '[0]',
    });
  });

  test('a mask may hold booleans', () => {
    const mask = wrong<number[]>([true, false]);
    expect(response.computeLoss(student, teacher, undefined, { mask })).toBe(
      response.computeLoss(student, teacher, undefined, { mask: [1, 0] }),
    );
  });

  test('a strategy without labels reads only IGNORE_INDEX from them', () => {
    const ignoring = feature.computeLossAndGradient(
      student,
      teacher,
      Int32Array.of(999, IGNORE_INDEX),
    );
    expect(ignoring.count).toBe(1);
    expect(ignoring.loss).toBe(feature.computeLoss(student, teacher, undefined, { mask: [1, 0] }));
    expect(feature.computeLoss(student, teacher, Int32Array.of(UNLABELED, 0))).toBe(
      feature.computeLoss(student, teacher),
    );
    expect(feature.computeLoss(student, teacher, matrix([7], [7]))).toBe(
      feature.computeLoss(student, teacher),
    );
  });
});

describe('an output buffer for the gradient', () => {
  const dirty = () => {
    const buffer = student.zerosLike();
    buffer.data.fill(7);
    return buffer;
  };

  test('is overwritten, excluded rows included, and returned', () => {
    const buffer = dirty();
    const options = { mask: [0, 1] };
    const result = response.computeLossAndGradient(student, teacher, undefined, {
      ...options,
      gradient: buffer,
    });
    expect(result.gradient).toBe(buffer);
    expect(buffer.data).toEqual(
      response.computeGradient(student, teacher, undefined, options).data,
    );
    expect(buffer.toRows()[0]).toEqual([0, 0, 0]);
  });

  test('accumulates on request', () => {
    const buffer = dirty();
    const fresh = response.computeGradient(student, teacher);
    response.computeGradient(student, teacher, undefined, { gradient: buffer, accumulate: true });
    buffer.data.forEach((value, i) => {
      expect(value).toBeCloseTo(7 + fresh.data[i]!, 14);
    });
  });

  test('micro-batches with one normalizer accumulate to the gradient of the whole', () => {
    const whole = response.computeLossAndGradient(student, teacher, Int32Array.of(0, 2));
    let loss = 0;
    student.toRows().forEach((row, i) => {
      const result = response.computeLossAndGradient(
        matrix(row),
        matrix([...teacher.row(i)]),
        Int32Array.of(i * 2),
        { normalizer: 2 },
      );
      loss += result.loss;
      expect(result.gradient.toRows()[0]).toEqual(
        whole.gradient.toRows()[i]!.map((value) => expect.closeTo(value, 15)),
      );
    });
    expect(loss).toBeCloseTo(whole.loss, 14);
  });

  test.each<[string, () => unknown, object]>([
    [
      'a wrong shape',
      () => response.computeGradient(student, teacher, undefined, { gradient: matrix([1, 2, 3]) }),
      { code: 'SHAPE_MISMATCH' },
    ],
    [
      'a wrong format',
      () =>
        response.computeGradient(student, teacher, undefined, {
          gradient: wrong(student.as(float32)),
        }),
      { code: 'DTYPE_MISMATCH' },
    ],
    [
      'the wrong type',
      () => response.computeGradient(student, teacher, undefined, { gradient: wrong([]) }),
      { code: 'WRONG_TYPE' },
    ],
    [
      'the student itself',
      () => response.computeGradient(student, teacher, undefined, { gradient: student }),
      { code: 'OVERLAP', expected: 'share no memory with student' },
    ],
    [
      'a view on the teacher',
      () =>
        response.computeGradient(student, teacher, undefined, {
          gradient: new Matrix(teacher.data, 2, 3),
        }),
      { code: 'OVERLAP', expected: 'share no memory with teacher' },
    ],
  ])('is refused: %s', (_, call, fields) => {
    expect(refusal(call)).toMatchObject({ argument: 'gradient', ...fields });
  });

  test('that overlaps the labels, or a part of the student, is refused', () => {
    const labels = Matrix.oneHot([0, 1], 3, float64);
    const call = (s: Matrix<Doubles>, gradient: Matrix<Doubles>) => () =>
      response.computeGradient(s, teacher, labels, { gradient });
    expect(refusal(call(student, labels))).toMatchObject({
      expected: 'share no memory with labels',
    });
    const bytes = new ArrayBuffer(student.data.byteLength);
    const gradient = new Matrix(new Float64Array(bytes), 2, 3);
    const classes = new Int32Array(bytes, 0, 2);
    const indices = () => response.computeGradient(student, teacher, classes, { gradient });
    expect(refusal(indices)).toMatchObject({ expected: 'share no memory with labels' });
    const mask = new Uint8Array(bytes, 8, 2).fill(1);
    const masked = () => response.computeGradient(student, teacher, undefined, { gradient, mask });
    expect(refusal(masked)).toMatchObject({ expected: 'share no memory with mask' });
    const shared = new Float64Array(9);
    const low = new Matrix(shared.subarray(0, 6), 2, 3);
    const high = new Matrix(shared.subarray(3, 9), 2, 3);
    expect(refusal(call(low, high))).toMatchObject({ expected: 'share no memory with student' });
    const apart = new Float64Array(12);
    const next = new Matrix(apart.subarray(6), 2, 3);
    expect(call(new Matrix(apart.subarray(0, 6), 2, 3), next)).not.toThrow();
  });

  test('is required by accumulate', () => {
    const call = () => response.computeGradient(student, teacher, undefined, { accumulate: true });
    expect(refusal(call)).toMatchObject({ code: 'MISPLACED_OPTION', argument: 'accumulate' });
    const typo = () =>
      response.computeGradient(student, teacher, undefined, { accumulate: wrong('yes') });
    expect(refusal(typo)).toMatchObject({ code: 'WRONG_TYPE', argument: 'accumulate' });
  });

  test.each([
    ['a NaN in the last row', matrix([1, 2, 3], [4, 5, Number.NaN]), undefined],
    ['a class that the student alone rules out', matrix([1, 2, 3], [4, 5, -Infinity]), undefined],
    ['a label out of range', student, Int32Array.of(0, 9)],
  ])('stays as it was after an accumulating call that fails: %s', (_, bad, labels) => {
    const buffer = dirty();
    const options = { gradient: buffer, accumulate: true };
    expect(() => response.computeGradient(bad, teacher, labels, options)).toThrow();
    expect(buffer.data).toEqual(dirty().data);
  });

  test('stays as it was after a call with arguments that do not fit', () => {
    for (const accumulate of [false, true]) {
      const buffer = dirty();
      const options = { gradient: buffer, accumulate };
      const call = () => response.computeGradient(student, teacher, Int32Array.of(0, 9), options);
      expect(refusal(call)).toMatchObject({ code: 'OUT_OF_RANGE', argument: 'labels' });
      expect(buffer.data).toEqual(dirty().data);
    }
  });

  test('whose sum overflows is refused, and stays as it was', () => {
    const single = new FeatureDistillationStrategy();
    const full = Matrix.fromRows([[1], [3e38]]);
    const options = { gradient: full, accumulate: true };
    const [large, zero] = [Matrix.fromRows([[1], [1e38]]), Matrix.zeros(2, 1)];
    expect(refusal(() => single.computeGradient(large, zero, undefined, options))).toMatchObject({
      code: 'OVERFLOW',
      argument: 'gradient',
      row: 1,
      column: 0,
    });
    expect(full.toRows()).toEqual([[1], [Math.fround(3e38)]]);
  });
});

describe('DistillationStrategyBase', () => {
  class Half<T extends Float32Array | Float64Array> extends DistillationStrategyBase<T> {
    protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
      return meanOverRows(batch, gradient, (offset, _, derivative) => {
        derivative?.set([1, 0, 0]);
        return batch.student.data[offset]!;
      });
    }
  }

  test('takes the mean over the kept rows', () => {
    const { loss, gradient, count } = new Half<Doubles>().computeLossAndGradient(student, teacher);
    expect([loss, count]).toEqual([2.5, 2]);
    expect(gradient.toRows()).toEqual([
      [0.5, 0, 0],
      [0.5, 0, 0],
    ]);
  });

  test('differentiates existing rows only', () => {
    class Beyond extends Half<Doubles> {
      protected override evaluate(_: DistillationBatch<Doubles>, gradient?: GradientSink<Doubles>) {
        gradient?.add(2, Float64Array.of(1, 0, 0));
        return 0;
      }
    }
    const { code, message } = refusal(() => new Beyond().computeGradient(student, teacher));
    expect(code).toBe('OUT_OF_RANGE');
    expect(message).toBe('GradientSink.add: row must be an integer in [0, 2), got 2');
  });

  test('requires a number from evaluate', () => {
    class Odd extends Half<Doubles> {
      protected override evaluate(): number {
        return wrong(null);
      }
    }
    const call = () => new Odd().computeLoss(student, teacher);
    expect(call).toThrow('Odd.computeLoss: evaluate must return a number, got null');
  });

  test('has the name of its class', () => {
    expect(new Half().name).toBe('Half');
    expect(refusal(() => new Half({ temperature: -1 }))).toMatchObject({ operation: 'Half' });
    expect(refusal(() => new Half<Doubles>().computeLoss(student, matrix([1])))).toMatchObject({
      operation: 'Half.computeLoss',
    });
  });

  test('accepts matrices of another copy of the library', () => {
    const { data, rows, columns, numeric } = student;
    const foreign = { data, rows, columns, numeric, zerosLike: () => student.zerosLike() };
    const loss = response.computeLoss(wrong(foreign), teacher);
    expect(loss).toBe(response.computeLoss(student, teacher));
  });
});

test('an array that is too large is refused with a message', () => {
  const wide = Matrix.zeros(200_000, 2);
  const strategies = [
    new SimilarityPreservingDistillationStrategy(),
    new RelationalDistillationStrategy(),
    new MultiLevelDistillationStrategy(),
  ];
  for (const strategy of strategies) {
    expect(refusal(() => strategy.computeLoss(wide, wide.clone()))).toMatchObject({
      code: 'OUT_OF_RANGE',
      argument: 'student',
      received: '[200000, 2]',
    });
  }
});

test('the parts of a hybrid are added to each other before they are added to a gradient', () => {
  const part = () => ({ strategy: new FeatureDistillationStrategy(), weight: 1 });
  const hybrid = new HybridDistillationStrategy([part(), part(), part(), part()], {
    weights: 'free',
  });
  const student = Matrix.fromRows([[1.25e-8]]);
  const gradient = Matrix.fromRows([[1]]);
  hybrid.computeGradient(student, Matrix.zeros(1, 1), undefined, { gradient, accumulate: true });
  expect(gradient.get(0, 0)).toBe(Math.fround(1 + 1e-7)); // each part alone would be rounded away
});
