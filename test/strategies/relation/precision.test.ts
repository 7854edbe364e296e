import { describe, expect, test } from 'vitest';
import {
  CenteredKernelAlignmentDistillationStrategy,
  ContrastiveDistillationStrategy,
  CorrelationCongruenceDistillationStrategy,
  type DistillationStrategyBase,
  type FloatArray,
  float64,
  Matrix,
  ProbabilisticTransferDistillationStrategy,
  RelationalDistillationStrategy,
  SimilarityDistributionDistillationStrategy,
  SimilarityPreservingDistillationStrategy,
} from '../../../src/index.js';
import { largest } from '../../../src/testing/compare.js';
import { describeKernels } from '../../support/describeKernels.js';

/** A student and a teacher at a distance; optionally away from 0 by an offset. */
function batch(
  rows: number,
  columns: number,
  offset: number,
  distance: number,
  scale = 1,
): [Matrix, Matrix] {
  const student = Matrix.zeros(rows, columns);
  const teacher = Matrix.zeros(rows, columns);
  for (let i = 0; i < student.data.length; i++) {
    student.data[i] = scale * (Math.sin(i * i) + offset);
    teacher.data[i] = student.data[i]! + distance * scale * Math.cos(1.1 * i * i);
  }
  return [student, teacher];
}

const similarities = (): DistillationStrategyBase<FloatArray> =>
  new SimilarityPreservingDistillationStrategy();
const distances = (): DistillationStrategyBase<FloatArray> =>
  new RelationalDistillationStrategy({ angleWeight: 0 });

const alignments = (): DistillationStrategyBase<FloatArray> =>
  new CenteredKernelAlignmentDistillationStrategy();
const neighbours = (): DistillationStrategyBase<FloatArray> =>
  new ProbabilisticTransferDistillationStrategy();
const distributions = (): DistillationStrategyBase<FloatArray> =>
  new SimilarityDistributionDistillationStrategy();
const congruences = (): DistillationStrategyBase<FloatArray> =>
  new CorrelationCongruenceDistillationStrategy({ form: 'bilinear' });
const contrasts = (): DistillationStrategyBase<FloatArray> => new ContrastiveDistillationStrategy();

/**
 * Expects the gradient of float64, up to a fraction of the largest element of a row; and the loss,
 * which sums more terms.
 */
function expectGood(
  create: () => DistillationStrategyBase<FloatArray>,
  student: Matrix,
  teacher: Matrix,
  bound: number,
  lossBound = 1e-7,
): void {
  const single = create().computeLossAndGradient(student, teacher);
  const double = create().computeLossAndGradient(student.as(float64), teacher.as(float64));
  expect(Math.abs(single.loss / double.loss - 1)).toBeLessThan(lossBound);
  for (let i = 0; i < student.rows; i++) {
    const exact = Array.from(double.gradient.row(i));
    const error = exact.map((value, j) => single.gradient.get(i, j) - value);
    expect(largest(error)).toBeLessThan(bound * largest(exact));
  }
}

describeKernels('Relations of rows in float32', () => {
  describe.each([10, 1, 0.5, 0.3, 0.1, 0.01, 1e-4])('at a distance of %d', (distance) => {
    test.each<[string, number, number, () => DistillationStrategyBase<FloatArray>]>([
      ['similarities', 0, 1e-6, similarities],
      ['similarities', 5, 2e-6, similarities],
      ['distances', 0, 1e-6, distances],
      ['distances', 10, 1e-6, distances],
      ['distances', 50, 1e-6, distances],
      ['alignments', 0, 1e-6, alignments],
      ['alignments', 10, 1e-6, alignments],
      ['neighbours', 0, 2e-6, neighbours],
      ['neighbours', 1, 2e-6, neighbours],
      ['congruences', 0, 1e-6, congruences],
      ['congruences', 5, 2e-6, congruences],
    ])(
      '%s at an offset of %d have a gradient that is exact to %d of its largest element',
      (_, offset, bound, create) => {
        expectGood(create, ...batch(90, 300, offset, distance), bound);
      },
    );
  });

  // A temperature of 0.07 makes an error of a cosine 14 times as large in a logit, one of 0.05
  // makes it 20 times as large.
  describe.each([10, 1, 0.5, 0.1, 1e-4])('at a distance of %d', (distance) => {
    test.each<[string, number, () => DistillationStrategyBase<FloatArray>]>([
      ['contrasts', 5e-6, contrasts],
      ['distributions', 2e-6, distributions],
    ])('%s have a loss exact to 1e-6 and a gradient exact to %d', (_, bound, create) => {
      for (const offset of [0, 1]) {
        expectGood(create, ...batch(90, 300, offset, distance), bound, 1e-6);
      }
    });
  });

  test.each([similarities, distances])(
    'of pairs that only the teacher distinguishes have a gradient exact to 1e-6',
    (create) => {
      const [student, teacher] = batch(90, 300, 0, 10);
      for (let i = 0; i < 90; i += 2) {
        const second = student.row(i + 1);
        for (const [j, value] of student.row(i).entries()) second[j] = value + 0.06 * second[j]!;
      }
      expectGood(create, student, teacher, 1e-6);
    },
  );

  test.each([similarities, distances])('are exactly 0 if both sides are equal', (create) => {
    const [student] = batch(90, 300, 0.3, 1);
    const { loss, gradient } = create().computeLossAndGradient(student, student.clone());
    expect(loss).toBe(0);
    expect(largest(Array.from(gradient.data))).toBe(0);
  });

  // Slopes that are subnormal in float32, but whose products are not small.
  test.each([similarities, distances])('of huge rows are exact to 4e-7', (create) => {
    expectGood(create, ...batch(90, 300, 0, 0.01, 1e17), 4e-7);
  });

  test.each([0.1, 1e-3, 1e-5])(
    'of distances are exact to 4e-7 if two rows are %d apart',
    (distance) => {
      const [student, teacher] = batch(40, 60, 0, 0.01);
      for (let j = 0; j < student.columns; j++) {
        student.set(9, j, student.get(5, j) + (distance * Math.sin(3.3 * j * j)) / 6);
      }
      const create = () => new RelationalDistillationStrategy<FloatArray>();
      const single = create().computeGradient(student, teacher);
      const double = create().computeGradient(student.as(float64), teacher.as(float64));
      for (const row of [5, 9]) {
        const exact = Array.from(double.row(row));
        const error = exact.map((value, j) => single.get(row, j) - value);
        expect(largest(error)).toBeLessThan(2e-7 * largest(exact));
      }
    },
  );

  test('of rows whose differences overflow float32 have their gradient', () => {
    const [student, teacher] = batch(40, 60, 0, 0.01, 3e38);
    const strategy = new RelationalDistillationStrategy({ angleWeight: 0 });
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    expect(loss).toBeGreaterThan(0);
    expect(gradient.data.every(Number.isFinite)).toBe(true);
  });
});

// Gradients whose terms cancel: few rows, few columns, and rows in one direction.
describeKernels('Similarities that cancel, in float32', () => {
  test.each([
    [2, 512],
    [64, 4],
    [64, 1],
    [512, 1],
  ])('of %d × %d have a gradient exact to 1e-6 of its largest element', (rows, columns) => {
    for (const distance of [1, 0.1, 0.01]) {
      expectGood(similarities, ...batch(rows, columns, 0.3, distance), 1e-6);
    }
  });

  test('of 64 × 256 in one direction are exact to 2e-6 of their terms', () => {
    const [student, teacher] = batch(64, 256, 30, 1);
    const single = similarities().computeGradient(student, teacher);
    const double = similarities().computeGradient(student.as(float64), teacher.as(float64));
    const terms = termsOf(student, teacher);
    for (let i = 0; i < student.rows; i++) {
      const error = Array.from(double.row(i), (value, j) => single.get(i, j) - value);
      expect(largest(error)).toBeLessThan(2e-6 * terms[i]!);
    }
  });
});

/** For each row, Σ over j of (|∂loss / ∂Ĝᵢⱼ| / ‖Gᵢ‖ + |∂loss / ∂Ĝⱼᵢ| / ‖Gⱼ‖) · max |xⱼ|. */
function termsOf(student: Matrix, teacher: Matrix): number[] {
  const rowsOf = (matrix: Matrix): number[][] => {
    const rows = matrix.toRows();
    return rows.map((x) => rows.map((y) => x.reduce((sum, value, k) => sum + value * y[k]!, 0)));
  };
  const [g, h] = [rowsOf(student), rowsOf(teacher)];
  const size = (i: number, j: number): number => {
    const [length, other] = [Math.hypot(...g[i]!), Math.hypot(...h[i]!)];
    return (2 * Math.abs(g[i]![j]! / length - h[i]![j]! / other)) / length / g.length ** 2;
  };
  return g.map((_, i) =>
    g.reduce((sum, _, j) => sum + (size(i, j) + size(j, i)) * largest([...student.row(j)]), 0),
  );
}
