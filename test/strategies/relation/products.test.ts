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
import { describeKernels } from '../../support/describeKernels.js';

// Gradients that are products are written without a copy. The matrices are large enough for the
// kernels that multiply.

const ROWS = 40;
const COLUMNS = 30;

function waves(phase: number, factor = 1): Matrix {
  const matrix = Matrix.zeros(ROWS, COLUMNS);
  for (let i = 0; i < matrix.data.length; i++) matrix.data[i] = factor * Math.sin(i * i + phase);
  return matrix;
}

const [student, teacher] = [waves(0), waves(1)];
const mask = Array.from({ length: ROWS }, (_, i) => Number(i % 3 !== 1));

const strategies: [string, () => DistillationStrategyBase<FloatArray>][] = [
  ['similarities', () => new SimilarityPreservingDistillationStrategy()],
  ['distances', () => new RelationalDistillationStrategy({ angleWeight: 0 })],
];

describeKernels('Gradients that are products', () => {
  test.each(strategies)('%s: overwrite the kept rows', (_, create) => {
    const exact = create().computeGradient(student.as(float64), teacher.as(float64), undefined, {
      mask,
    }).data;
    const gradient = student.zerosLike();
    gradient.data.fill(Number.NaN);
    create().computeGradient(student, teacher, undefined, { mask, gradient });
    const error = Array.from(exact, (value, k) => gradient.data[k]! - value);
    expect(largest(error)).toBeLessThan(1e-6 * largest(Array.from(exact)));
    for (const [i, isOn] of mask.entries()) {
      if (!isOn) expect(largest(Array.from(gradient.row(i)))).toBe(0);
    }
  });

  test.each(strategies)('%s: accumulate', (_, create) => {
    const once = create().computeGradient(student, teacher, undefined, { mask });
    const gradient = once.clone();
    create().computeGradient(student, teacher, undefined, { mask, gradient, accumulate: true });
    const error = Array.from(once.data, (value, k) => gradient.data[k]! - 2 * value);
    expect(largest(error)).toBeLessThan(1e-6 * largest(Array.from(once.data)));
  });

  test('are refused if they overflow their dtype, and nothing is added', () => {
    const strategy = new RelationalDistillationStrategy({ distanceWeight: 1e8, angleWeight: 0 });
    const gradient = student.zerosLike();
    gradient.data.fill(7);
    const small = waves(0, 1e-35);
    for (const accumulate of [true, false]) {
      const options = { gradient, accumulate };
      expect(() => strategy.computeGradient(small, teacher, undefined, options)).toThrow(
        expect.objectContaining({ code: 'OVERFLOW', argument: 'gradient' }),
      );
      if (!accumulate) continue;
      expect(gradient.data.every((value) => value === 7)).toBe(true);
    }
  });

  test('are exact near the largest number of their dtype', () => {
    const create = (distanceWeight: number): RelationalDistillationStrategy =>
      new RelationalDistillationStrategy({ distanceWeight, angleWeight: 0 });
    const ordinary = create(1).computeGradient(student, teacher);
    const factor = 2 ** 127 / largest(Array.from(ordinary.data));
    const huge = create(factor).computeGradient(student, teacher);
    const error = Array.from(ordinary.data, (value, k) => huge.data[k]! / factor - value);
    expect(largest(error)).toBeLessThan(2e-6 * largest(Array.from(ordinary.data)));
  });
});
