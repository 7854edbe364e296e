import { expect, test } from 'vitest';
import {
  computeThroughHead,
  type FloatArray,
  float32,
  float64,
  IGNORE_INDEX,
  Matrix,
  type NumericTrait,
  ResponseDistillationStrategy,
  SparseTargets,
} from '../../src/index.js';

const [ROWS, WIDTH, COLUMNS] = [7, 5, 9];

function wave<T extends FloatArray>(
  rows: number,
  columns: number,
  phase: number,
  numeric: NumericTrait<T>,
): Matrix<T> {
  const matrix = Matrix.zeros(rows, columns, numeric);
  for (let i = 0; i < matrix.data.length; i++) matrix.data[i] = Math.sin(3 * i + phase);
  return matrix;
}

/** A head and its logits, computed one product after another. */
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

function product(a: readonly number[][], b: readonly number[][]): number[] {
  return a.flatMap((row) =>
    b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)),
  );
}

function turned(rows: readonly number[][]): number[][] {
  return rows[0]!.map((_, j) => rows.map((row) => row[j]!));
}

for (const numeric of [float32, float64]) {
  for (const chunkRows of [1, 2, 3, 7, 100, undefined]) {
    test(`is the unfused computation, ${numeric.dtype}, chunks of ${chunkRows}`, () => {
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
        close(found.gradients.hidden.data, product(byLogits, turned(head.weight.toRows())));
        close(found.gradients.weight.data, product(turned(head.hidden.toRows()), byLogits));
        close(found.gradients.bias!.data, product([new Array(ROWS).fill(1)], byLogits));
      }
    });
  }
}
