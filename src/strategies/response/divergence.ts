import type { FloatArray } from '../../core/numeric.js';
import { addSoftmaxAdjoint, softmax } from '../../kernels/rows/softmax.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import type { DistributionRow, SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase } from './base.js';

/**
 * Response losses that are functions of p = softmax(teacher / T) and q = softmax(student / T), row by row; a strategy writes
 * {@link divergence} alone. The softmaxes and their derivatives are computed by the engine.
 */
export abstract class DivergenceDistillationStrategyBase<
  T extends FloatArray = Float32Array,
  Sparse extends SparseTargets<T> = never,
> extends ResponseDistillationStrategyBase<T, Sparse> {
  /**
   * Returns the loss of a row, a function of `p`, `q` and their logarithms; writes its derivative by log q, as if every
   * log q were free, to `slope`.
   */
  protected abstract divergence(row: DistributionRow): number;

  /** @internal */
  protected override describe(): ResponseTerms {
    return { divergence: (row) => this.divergence(row) };
  }

  protected override softLoss(columns: number, terms: number): SoftLoss {
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
    const { completion = 0 } = terms < columns ? this.describe() : {};
    return ({ student, teacher, label, derivative }) => {
      softmax(teacher, 0, columns, logP, p);
      softmax(student, 0, columns, logQ, q);
      let loss = this.divergence({ ...row, label });
      if (completion !== 0) {
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
}
