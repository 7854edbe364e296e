import { expect, test } from 'vitest';
import { Matrix, SparseTargets } from '../../../src/index.js';
import { Means } from '../../../src/tfjs/distill/history.js';
import { addMetrics } from '../../../src/tfjs/distill/metrics.js';

test('a sparse teacher with rows of different lengths is compared in every row', () => {
  const student = Matrix.fromRows([
    [3, 0, 1],
    [0, 2, 1],
    [0, 2, 1],
  ]);
  // The value beside no class is larger than every log-probability, and must not be read.
  const teacher = new SparseTargets({
    indices: Int32Array.of(0, -1, 1, 2, 2, -1),
    logProbabilities: Matrix.fromRows([
      [-0.01, 0],
      [-0.2, -1.8],
      [-0.5, 0],
    ]),
    columns: 3,
  });
  const means = new Means();
  addMetrics('distill', means, { student, teacher, labels: undefined, mask: undefined });
  expect(means.state()).toEqual({ agreement: { mean: 2 / 3, weight: 3 } });
});
