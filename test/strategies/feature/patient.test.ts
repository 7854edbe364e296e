import { describe, expect, test } from 'vitest';
import {
  type FloatArray,
  float64,
  LinearProjection,
  type NumericTrait,
  PatientDistillationStrategy,
} from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { isNonZero, PROJECTED_TOLERANCE, roundedProjection } from '../_cases.js';

proveStrategy(PatientDistillationStrategy, {
  'by default': {
    create: () => new PatientDistillationStrategy(),
    values: 'features',
    isRegular: isNonZero,
    invariances: ['row-order', 'column-order', 'student-scale', 'teacher-scale'],
    rounding: 1e-9, // divided by the norm of a row, which may be as small as 1/32
  },
  projected: {
    create: <T extends FloatArray>(numeric: NumericTrait<T>) =>
      new PatientDistillationStrategy<T>({
        projection: roundedProjection(3, 4, { bias: true, numeric }),
      }),
    values: 'features',
    columns: { student: 3, teacher: 4 },
    isRegular: isNonZero,
    invariances: ['row-order', 'teacher-scale'],
    rounding: 1e-9,
    float32Tolerance: PROJECTED_TOLERANCE,
  },
});

const strategy = new PatientDistillationStrategy<Float64Array>();

describe('PatientDistillationStrategy by hand', () => {
  test('is the squared distance of the directions, mean over rows', () => {
    // [3, 4]/5 − [1, 0] = [−0.4, 0.8]: 0.8; [0, 1] − [0, −1]: 4
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([3, 4], [0, 2]),
      matrix([7, 0], [0, -1]),
    );
    expect(loss).toBeCloseTo((0.8 + 4) / 2, 15);
    // −2 (t̂ − cos ŝ)/‖s‖ over two rows: −([1, 0] − 0.6 [0.6, 0.8])/5 = [−0.64, 0.48]/5; along the
    // row it is 0
    expect(gradient.get(0, 0)).toBeCloseTo(-0.64 / 5, 15);
    expect(gradient.get(0, 1)).toBeCloseTo(0.48 / 5, 15);
    expect(gradient.toRows()[1]).toEqual([0, 0]);
  });

  test.each([
    [[0, 0], [1, 2], 1],
    [[1, 2], [0, 0], 1],
    [[0, 0], [0, 0], 0],
  ])('keeps a zero row at zero: %j and %j', (student, teacher, expected) => {
    const { loss, gradient } = strategy.computeLossAndGradient(matrix(student), matrix(teacher));
    expect(loss).toBe(expected);
    expect(gradient.toRows()).toEqual([[0, 0]]);
  });

  test('is exactly 0, with gradient 0, at student = teacher', () => {
    const rows = matrix([0.1, 0.7, -0.3], [1e-200, 0, 0], [1e200, 1e200, 3]);
    const { loss, gradient } = strategy.computeLossAndGradient(rows, rows.clone());
    expect(loss).toBe(0);
    expect(gradient.data.every((value) => value === 0)).toBe(true);
  });

  test("maps another width to the teacher's by a projection", () => {
    const projection = new LinearProjection(1, 2, { numeric: float64 });
    const [weight] = projection.parameters();
    weight!.value.data.set([3, 4]);
    const projected = new PatientDistillationStrategy({ projection });
    expect(projected.computeLoss(matrix([2]), matrix([1, 0]))).toBeCloseTo(0.8, 15);
    expect(projected.parameters()).toEqual([weight]);
  });

  test('finds a NaN or an infinity in a row, also beside a zero row', () => {
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      const call = () => strategy.computeLoss(matrix([0, 0]), matrix([0, value]));
      expect(refusal(call)).toMatchObject({ code: 'NOT_FINITE', argument: 'teacher', column: 1 });
    }
  });

  test('requires a projection for other widths', () => {
    expect(refusal(() => strategy.computeLoss(matrix([1, 2]), matrix([1, 2, 3])))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument: 'teacher',
    });
  });

  test.each<[string, object, string]>([
    ['options', { metric: 'mse' }, 'UNKNOWN_OPTION'],
    ['projection', { projection: {} }, 'WRONG_TYPE'],
  ])('refuses bad %s', (argument, options, code) => {
    expect(refusal(() => new PatientDistillationStrategy(wrong<object>(options)))).toMatchObject({
      operation: 'PatientDistillationStrategy',
      argument,
      code,
    });
  });
});
