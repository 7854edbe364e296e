import { expect, test } from 'vitest';
import {
  type DistillationStrategyBase,
  type FloatArray,
  float64,
  Matrix,
  RelationalDistillationStrategy,
  SimilarityPreservingDistillationStrategy,
} from '../../../src/index.js';
import { largest } from '../../../src/testing/compare.js';
import { describeKernels } from '../../describeKernels.js';

/** A student, and a teacher that is near it; all of them away from 0, if wanted, and as large. */
function batch(rows: number, columns: number, offset: number, scale: number): [Matrix, Matrix] {
  const student = Matrix.zeros(rows, columns);
  const teacher = Matrix.zeros(rows, columns);
  for (let i = 0; i < student.data.length; i++) {
    student.data[i] = scale * (Math.sin(i * i) + offset);
    teacher.data[i] = student.data[i]! + 0.01 * scale * Math.cos(1.1 * i * i);
  }
  return [student, teacher];
}

describeKernels('Rows that are compared, in float32', () => {
  test.each<[string, number, number, number, () => DistillationStrategyBase<FloatArray>]>([
    ['similarities', 0, 1, 5e-7, () => new SimilarityPreservingDistillationStrategy()],
    ['similarities far from 0', 5, 1, 2e-6, () => new SimilarityPreservingDistillationStrategy()],
    ['distances', 0, 1, 6e-7, () => new RelationalDistillationStrategy({ angleWeight: 0 })],
    [
      'distances far from 0',
      50,
      1,
      6e-7,
      () => new RelationalDistillationStrategy({ angleWeight: 0 }),
    ],
    // Slopes that float32 has as subnormal numbers, but would make products of some size.
    ['huge similarities', 0, 1e17, 2e-7, () => new SimilarityPreservingDistillationStrategy()],
    ['huge distances', 0, 1e17, 2e-7, () => new RelationalDistillationStrategy({ angleWeight: 0 })],
  ])(
    '%s at an offset of %d times %d have a gradient that is good to %d of its largest entry',
    (_, offset, scale, bound, create) => {
      const [student, teacher] = batch(90, 300, offset, scale);
      const single = create().computeLossAndGradient(student, teacher);
      const double = create().computeLossAndGradient(student.as(float64), teacher.as(float64));
      // What is compared is computed in doubles.
      expect(Math.abs(single.loss / double.loss - 1)).toBeLessThan(1e-12);
      for (let i = 0; i < student.rows; i++) {
        const exact = Array.from(double.gradient.row(i));
        const error = exact.map((value, j) => single.gradient.get(i, j) - value);
        expect(largest(error)).toBeLessThan(bound * largest(exact));
      }
    },
  );

  test.each([0.1, 1e-3, 1e-5])('so have distances where two rows are %d apart', (distance) => {
    const [student, teacher] = batch(40, 60, 0, 1);
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
  });

  test('rows whose differences float32 cannot hold have their gradient', () => {
    const [student, teacher] = batch(40, 60, 0, 3e38);
    const strategy = new RelationalDistillationStrategy({ angleWeight: 0 });
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    expect(loss).toBeGreaterThan(0);
    expect(gradient.data.every(Number.isFinite)).toBe(true);
  });
});
