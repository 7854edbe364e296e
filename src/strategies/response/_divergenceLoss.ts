import { addSoftmaxAdjoint, softmax } from '../../kernels/rows/softmax.js';
import type { DistributionRow, SoftLoss } from './_softRows.js';

/**
 * Makes the loss of a row of logits from a divergence of its distributions.
 *
 * @param divergence - returns the loss of a row, and writes its derivative by log q to `slope`
 * @param columns - number of classes in a row
 * @param terms - number of leading classes that enter the divergence
 * @param completion - factor of q − p in the terms of the divergence; see
 *   `ResponseTerms.completion`
 */
export function divergenceLoss(
  divergence: (row: DistributionRow) => number,
  columns: number,
  terms: number = columns,
  completion = 0,
): SoftLoss {
  const buffer = (): Float64Array => new Float64Array(columns);
  const [logP, p, logQ, q, slope] = [buffer(), buffer(), buffer(), buffer(), buffer()];
  const leading = (values: Float64Array): Float64Array => values.subarray(0, terms);
  const row = {
    logP: leading(logP),
    p: leading(p),
    logQ: leading(logQ),
    q: leading(q),
    slope: leading(slope),
  };
  const isPartial = terms < columns;
  return ({ student, teacher, label, derivative }) => {
    softmax(teacher, 0, columns, logP, p);
    softmax(student, 0, columns, logQ, q);
    let loss = divergence({ ...row, label });
    if (isPartial && completion !== 0) {
      for (let j = 0; j < terms; j++) {
        loss -= completion * (q[j]! - p[j]!);
        slope[j]! -= completion * q[j]!;
      }
    }
    derivative.fill(0);
    addSoftmaxAdjoint(q, slope, 1, derivative);
    return loss;
  };
}
