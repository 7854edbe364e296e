import { expect, test } from 'vitest';
import {
  type FloatArray,
  float32,
  float64,
  kernelInfo,
  Matrix,
  type NumericTrait,
  ResponseDistillationStrategy,
} from '../../../src/index.js';
import cases from '../../fixtures/kernels.json' with { type: 'json' };
import { describeKernels } from '../../support/describeKernels.js';

// The accuracy of every kernel, compared with values of 40 digits from
// fixtures/generate_kernels.py.

type Kind = 'wide' | 'huge' | 'near' | 'confident' | 'masked';

const ROWS = 3;

/**
 * Largest errors: of the loss, relative to it; of a gradient, relative to the largest element of
 * its row, plus a share of the largest term, which is the unavoidable rounding of a difference.
 */
const BOUNDS = {
  float32: { loss: 4e-7, gradient: 3e-7, term: 4e-9 },
  float64: { loss: 1e-14, gradient: 1e-14, term: 1e-17 },
};

/**
 * The scalar kernel subtracts logarithms, which is less precise near the teacher than a difference
 * of logits.
 */
const SCALAR_BOUNDS = { loss: 1e-11, gradient: 1e-11, term: 1e-16 };

function hash(i: number, seed: number): number {
  return (i * 7919 + i * i * 31 + seed * 104729) % 2003;
}

function labelOf(row: number, columns: number): number {
  return (5 * row + 3) % columns;
}

/** Student and teacher logits of an element, exact in float32. */
function logits(kind: Kind, row: number, column: number, columns: number): [number, number] {
  const i = row * columns + column;
  const [a, b] = [hash(i, 1) - 1001, hash(i, 2) - 1001];
  const isLabel = column === labelOf(row, columns);
  switch (kind) {
    case 'wide':
      return [a / 128, b / 128];
    case 'huge':
      return [8 * a, 8 * b];
    case 'near':
      return [b / 256 + a / 2 ** 18, b / 256];
    case 'confident':
      return [a / 256 + (isLabel ? 20 : 0), b / 256 + (isLabel ? 20 : 0)];
    case 'masked':
      if (isLabel) return [1, 2];
      if (i % 3 === 0) return [-Infinity, -Infinity];
      return [a / 256, i % 3 === 1 ? -Infinity : b / 256];
  }
}

function check<T extends FloatArray>(
  golden: (typeof cases)[number],
  numeric: NumericTrait<T>,
): void {
  const { columns, temperature, labeled } = golden;
  const kind = golden.kind as Kind;
  const student = Matrix.zeros(ROWS, columns, numeric);
  const teacher = student.zerosLike();
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < columns; column++) {
      const [s, t] = logits(kind, row, column, columns);
      student.data[row * columns + column] = s;
      teacher.data[row * columns + column] = t;
    }
  }
  const labels = Int32Array.from({ length: ROWS }, (_, row) => labelOf(row, columns));
  const strategy = new ResponseDistillationStrategy<T>({ temperature, alpha: 0.3 });
  const { loss, gradient } = strategy.computeLossAndGradient(
    student,
    teacher,
    labeled ? labels : undefined,
  );
  const isScalar = numeric.dtype === 'float64' && kernelInfo().kernel === 'scalar';
  const bound = isScalar ? SCALAR_BOUNDS : BOUNDS[numeric.dtype];
  const lossError = Math.abs(loss - golden.loss);
  expect(lossError, `loss ${loss}`).toBeLessThanOrEqual(
    bound.loss * golden.loss + (bound.term * temperature) ** 2,
  );
  golden.rows.forEach(({ largest, term, samples }, row) => {
    for (const [column = 0, value = 0] of samples) {
      const error = Math.abs(gradient.get(row, column) - value);
      const allowed = bound.gradient * largest + bound.term * term;
      expect(error, `gradient in row ${row}, column ${column}`).toBeLessThanOrEqual(allowed);
    }
  });
}

describeKernels('The response loss', () => {
  for (const golden of cases) {
    const { kind, columns, temperature, labeled } = golden;
    const name = `${kind}, ${columns} columns, T = ${temperature}${labeled ? ', labels' : ''}`;
    test(`${name}, in float32`, () => check(golden, float32));
    test(`${name}, in float64`, () => check(golden, float64));
  }
});
