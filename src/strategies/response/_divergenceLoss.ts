import { addSoftmaxAdjoint, softmax } from '../../kernels/rows/softmax.js';
import type { DistributionRow, SoftLoss } from './_softRows.js';

/**
 * Makes a loss of a row of logits from a divergence of its distributions.
 *
 * @param terms - number of leading classes that enter the divergence
 * @param completion - how many times the terms of the divergence hold q − p beside its formula
 */
export function divergenceLoss(
  divergence: (row: DistributionRow) => number,
  columns: number,
  terms: number = columns,
  completion = 0,
): SoftLoss {
  const room = (): Float64Array => new Float64Array(columns);
  const [logP, p, logQ, q, slope] = [room(), room(), room(), room(), room()];
  const counted = (values: Float64Array): Float64Array => values.subarray(0, terms);
  const row = {
    logP: counted(logP),
    p: counted(p),
    logQ: counted(logQ),
    q: counted(q),
    slope: counted(slope),
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
