import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  computeThroughHead,
  type FloatArray,
  float32,
  float64,
  type HeadLogits,
  IGNORE_INDEX,
  Matrix,
  type NumericTrait,
  ResponseDistillationStrategy,
  SparseTargets,
} from '../../src/index.js';
import { assertGradient } from '../../src/testing/index.js';
import { product, transposed } from '../../src/testing/products.js';
import { describeKernels } from '../support/describeKernels.js';
import { wave } from '../support/wave.js';

const [ROWS, WIDTH, COLUMNS] = [7, 5, 9];

/** A head and its logits, computed one product at a time. */
function headOf<T extends FloatArray>(width: number, phase: number, numeric: NumericTrait<T>) {
  const hidden = wave(ROWS, width, phase, numeric);
  const weight = wave(width, COLUMNS, phase + 1, numeric);
  const bias = wave(1, COLUMNS, phase + 2, numeric);
  const logits = Matrix.zeros(ROWS, COLUMNS, numeric);
  for (let row = 0; row < ROWS; row++) {
    for (let j = 0; j < COLUMNS; j++) {
      let sum = bias.data[j]!;
      for (let k = 0; k < width; k++) sum += hidden.get(row, k) * weight.get(k, j);
      logits.set(row, j, sum);
    }
  }
  return { head: { hidden, weight, bias }, logits };
}

for (const numeric of [float32, float64]) {
  for (const chunkRows of [1, 2, 3, 7, 100, undefined]) {
    test(`agrees with the unfused computation, ${numeric.dtype}, chunks of ${chunkRows}`, () => {
      const { head, logits } = headOf(WIDTH, 0, numeric as NumericTrait<FloatArray>);
      const teacher = headOf(WIDTH + 1, 7, numeric as NumericTrait<FloatArray>);
      const labels = Int32Array.of(1, 0, IGNORE_INDEX, -1, 8, 3, 2);
      const options = { mask: [1, 1, 1, 1, 0, 1, 1], rowWeights: [1, 2, 1, -1, 1, 0.5, 0] };
      const strategy = new ResponseDistillationStrategy<FloatArray>({ temperature: 2 });
      const sparse = SparseTargets.topK(teacher.logits, 4, { temperature: 2 });
      for (const [given, whole] of [
        [teacher.head, teacher.logits],
        [teacher.logits, teacher.logits],
        [sparse, sparse],
      ] as const) {
        const rowLosses = new Float64Array(ROWS);
        const expectedLosses = new Float64Array(ROWS);
        const expected = strategy.computeLossAndGradient(logits, whole, labels, {
          ...options,
          rowLosses: expectedLosses,
        });
        const found = computeThroughHead(strategy, head, given, labels, {
          ...options,
          rowLosses,
          chunkRows,
        });
        const close = (actual: ArrayLike<number>, wanted: ArrayLike<number>) => {
          expect(actual.length).toBe(wanted.length);
          for (let i = 0; i < wanted.length; i++) {
            expect(Math.abs(actual[i]! - wanted[i]!)).toBeLessThan(32 * numeric.epsilon);
          }
        };
        close([found.loss], [expected.loss]);
        close(rowLosses, expectedLosses);
        expect(found.count).toBe(expected.count);
        const byLogits = expected.gradient.toRows();
        close(
          found.gradients.hidden.data,
          product(byLogits, transposed(head.weight.toRows())).values,
        );
        close(
          found.gradients.weight.data,
          product(transposed(head.hidden.toRows()), byLogits).values,
        );
        close(found.gradients.bias!.data, product([new Array(ROWS).fill(1)], byLogits).values);
      }
    });
  }
}

test('overwrites the gradients, excluded rows included', () => {
  const { head, logits } = headOf(WIDTH, 0, float32);
  const mask = [0, 1, 1, 0, 1, 1, 0];
  const expected = computeThroughHead(new ResponseDistillationStrategy(), head, logits, undefined, {
    mask,
  });
  const { hidden, weight, bias } = head;
  const gradients = {
    hidden: hidden.zerosLike(),
    weight: weight.zerosLike(),
    bias: bias.zerosLike(),
  };
  for (const { data } of Object.values(gradients)) data.fill(Number.NaN);
  for (const chunkRows of [2, 7]) {
    const options = { mask, gradients, chunkRows };
    computeThroughHead(new ResponseDistillationStrategy(), head, logits, undefined, options);
    for (const row of [0, 3, 6]) expect(gradients.hidden.row(row)).toEqual(new Float32Array(WIDTH));
    for (let i = 0; i < hidden.data.length; i++) {
      expect(gradients.hidden.data[i]).toBeCloseTo(expected.gradients.hidden.data[i]!, 6);
    }
  }
});

/** The parts of a head, each of which is in turn the student whose gradient is checked. */
const PARTS = ['hidden', 'weight', 'bias'] as const;

for (const part of PARTS) {
  test(`the gradient of ${part} is the derivative of the loss, for random heads`, () => {
    fc.assert(
      fc.property(
        fc.record({
          width: fc.integer({ min: 1, max: 4 }),
          phase: fc.double({ min: 0, max: 9, noNaN: true }),
          chunkRows: fc.integer({ min: 1, max: ROWS + 1 }),
          labels: fc.option(
            fc.array(fc.constantFrom(IGNORE_INDEX, -1, 0, 3, 8), {
              minLength: ROWS,
              maxLength: ROWS,
            }),
            { nil: undefined },
          ),
          mask: fc.option(fc.array(fc.constantFrom(0, 1), { minLength: ROWS, maxLength: ROWS }), {
            nil: undefined,
          }),
        }),
        ({ width, phase, chunkRows, labels, mask }) => {
          const { head } = headOf(width, phase, float64);
          const teacher = headOf(3, phase + 4, float64).head;
          const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 2 });
          const classes = labels && Int32Array.from(labels);
          const compute = (value: Matrix<Float64Array>) =>
            computeThroughHead(strategy, { ...head, [part]: value }, teacher, classes, {
              mask,
              chunkRows,
            });
          const throughHead = {
            temperature: 2,
            alpha: 0,
            computeLoss: (value: Matrix<Float64Array>) => compute(value).loss,
            computeGradient: (value: Matrix<Float64Array>) => compute(value).gradients[part]!,
          };
          assertGradient(throughHead, head[part], head[part]);
        },
      ),
      { numRuns: 30 },
    );
  });
}

describeKernels('A head that is larger than the blocks of the kernels', () => {
  test.each([float32, float64])('agrees with the unfused computation in %o', (format) => {
    const numeric = format as NumericTrait<FloatArray>;
    const [rows, width, columns] = [20, 12, 1100];
    const student = {
      hidden: wave(rows, width, 0, numeric),
      weight: wave(width, columns, 1, numeric),
      bias: wave(1, columns, 2, numeric),
    };
    const teacher = { hidden: wave(rows, 8, 3, numeric), weight: wave(8, columns, 4, numeric) };
    const logitsOf = ({ hidden, weight, bias }: HeadLogits<FloatArray>) => {
      const { values } = product(hidden.toRows(), weight.toRows());
      const sums = values.map((value, i) => value + (bias?.data[i % columns] ?? 0));
      return new Matrix(numeric.from(sums), rows, columns);
    };
    const mask = Array.from({ length: rows }, (_, row) => (row % 7 === 3 ? 0 : 1));
    const strategy = new ResponseDistillationStrategy<FloatArray>({ temperature: 2 });
    const options = { mask };
    const [logits, targets] = [logitsOf(student), logitsOf(teacher)];
    const expected = strategy.computeLossAndGradient(logits, targets, undefined, options);
    const byLogits = expected.gradient.toRows();
    for (const chunkRows of [8, 16]) {
      const { loss, gradients } = computeThroughHead(strategy, student, teacher, undefined, {
        ...options,
        chunkRows,
      });
      const close = (actual: ArrayLike<number>, wanted: readonly number[]) => {
        const size = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        for (let i = 0; i < wanted.length; i++) {
          if (Math.abs(actual[i]! - wanted[i]!) <= 64 * numeric.epsilon * size) continue;
          expect(actual[i]).toBeCloseTo(wanted[i]!, 12);
        }
      };
      close([loss], [expected.loss]);
      close(gradients.hidden.data, product(byLogits, transposed(student.weight.toRows())).values);
      close(gradients.weight.data, product(transposed(student.hidden.toRows()), byLogits).values);
      close(gradients.bias!.data, product([new Array(rows).fill(1)], byLogits).values);
      expect(gradients.weight.data.some((value) => value !== 0)).toBe(true);
    }
  });
});
