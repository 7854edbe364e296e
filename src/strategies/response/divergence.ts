import type { Distributions } from '../../kernels/divergences.js';
import { addSoftmaxAdjoint, softmax } from '../../kernels/softmax.js';
import type { FloatArray } from '../../numeric.js';
import { ResponseDistillationStrategyBase } from './base.js';
import type { SoftLoss } from './softRows.js';

/** The distributions of a row, and its class, or −1. */
export interface DistributionRow extends Distributions {
  readonly label: number;
}

/**
 * Response losses that are functions of p = softmax(teacher / T) and q = softmax(student / T), row by row; a strategy writes
 * {@link divergence} alone.
 */
export abstract class DivergenceDistillationStrategyBase<
  T extends FloatArray = Float32Array,
> extends ResponseDistillationStrategyBase<T> {
  /**
   * Returns the loss of a row, a function of `p`, `q` and their logarithms; writes its derivative by log q, as if every
   * log q were free, to `slope`.
   */
  protected abstract divergence(row: DistributionRow): number;

  protected override softLoss(columns: number): SoftLoss {
    const room = (): Float64Array => new Float64Array(columns);
    const [logP, p, logQ, q, slope] = [room(), room(), room(), room(), room()];
    return ({ student, teacher, label, derivative }) => {
      softmax(teacher, 0, columns, logP, p);
      softmax(student, 0, columns, logQ, q);
      const loss = this.divergence({ logP, p, logQ, q, slope, label });
      derivative.fill(0);
      addSoftmaxAdjoint(q, slope, 1, derivative);
      return loss;
    };
  }
}
