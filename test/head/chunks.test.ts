import { describe, expect, test } from 'vitest';
import { chunkRowsOf } from '../../src/head/chunks.js';
import {
  computeThroughHead,
  type DistillationBatch,
  DistillationStrategyBase,
  Matrix,
  ResponseDistillationStrategy,
  SparseTargets,
} from '../../src/index.js';
import { wave } from '../support/wave.js';

/** Records the number of rows of each chunk. */
class Recorder extends DistillationStrategyBase {
  readonly chunks: number[] = [];

  override get isSumOverRows(): true {
    return true;
  }

  protected override evaluate({ student }: DistillationBatch): number {
    this.chunks.push(student.rows);
    return 0;
  }
}

describe('A chunk', () => {
  test.each([
    [32_000, 112],
    [32_768, 112],
    [150_000, 96],
    [50_000, 96],
    [1_000, 3_664],
    [2 ** 31, 96],
  ])('of %i columns has %i rows by default', (columns, rows) => {
    expect(chunkRowsOf(columns)).toBe(rows);
  });

  test('has its default number of rows if the caller gives none', () => {
    const [rows, columns] = [230, 32_000];
    const recorder = new Recorder();
    const teacher = { hidden: Matrix.zeros(rows, 1), weight: Matrix.zeros(1, columns) };
    const student = { hidden: Matrix.zeros(rows, 1), weight: Matrix.zeros(1, columns) };
    computeThroughHead(recorder, student, teacher);
    expect(recorder.chunks).toEqual([112, 112, 6]);
  });

  test.each([1, 2, 100])('evaluates sparse logits, %i rows at a time', (chunkRows) => {
    const [rows, width, columns, k] = [7, 3, 9, 4];
    const indices = Int32Array.from(
      { length: rows * k },
      (_, i) => (2 * (i % k) + Math.floor(i / k)) % columns,
    );
    const sparse = new SparseTargets({ indices, logits: wave(rows, k, 5), columns });
    const student = { hidden: wave(rows, width, 0), weight: wave(width, columns, 1) };
    const logits = new Matrix(new Float32Array(rows * columns), rows, columns);
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < columns; j++) {
        for (let i = 0; i < width; i++) {
          logits.row(row)[j]! += student.hidden.get(row, i) * student.weight.get(i, j);
        }
      }
    }
    const strategy = new ResponseDistillationStrategy({ temperature: 2, tail: 'renormalize' });
    const mask = [1, 1, 0, 1, 1, 1, 0];
    const expected = strategy.computeLoss(logits, sparse, undefined, { mask });
    const { loss } = computeThroughHead(strategy, student, sparse, undefined, { mask, chunkRows });
    expect(loss).toBeCloseTo(expected, 5);
    expect(expected).toBeGreaterThan(0.01);
  });
});
