// The gradients by hidden states, weight and bias, computed chunk by chunk.

import { GradientOutput } from '../call/output.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { grid, transpose } from '../kernels/products/grid.js';
import { precisionOf, putProduct } from '../kernels/products/product.js';
import type { HeadLogits } from './head.js';
import type { HeadGradients } from './options.js';

/**
 * The matrices of one chunk, G = d loss / d logits:
 *
 *     d hidden = G · weightᵀ,   d weight = hiddenᵀ · G,   d bias = Σ rows of G
 */
export interface GradientChunk<T extends FloatArray> {
  readonly hidden: Matrix<T>;
  /** d loss / d logits. */
  readonly logitsGradient: Matrix<T>;
  /** Output buffer for d loss / d hidden. */
  readonly hiddenGradient: Matrix<T>;
}

/** The output buffers for the gradients of a head, to which each chunk adds its part. */
export class HeadGradientOutputs<T extends FloatArray> {
  readonly #head: HeadLogits<T>;
  readonly #hidden: GradientOutput<T>;
  readonly #weight: GradientOutput<T>;
  readonly #bias: GradientOutput<T> | undefined;
  /** d loss / d bias of the chunks so far, in doubles. */
  readonly #biasSums: Float64Array;

  constructor(head: HeadLogits<T>, given: Partial<HeadGradients<T>>, accumulate: boolean) {
    const { hidden, weight, bias } = head;
    this.#head = head;
    this.#hidden = new GradientOutput(hidden, given.hidden, accumulate);
    this.#weight = new GradientOutput(weight, given.weight, accumulate);
    this.#bias = bias && new GradientOutput(bias, given.bias, accumulate);
    this.#biasSums = new Float64Array(bias?.columns ?? 0);
  }

  /** Adds the gradients of a chunk; `rows` are its rows in the batch. */
  add(rows: readonly number[], { hidden, logitsGradient, hiddenGradient }: GradientChunk<T>): void {
    const { weight } = this.#head;
    const { data, columns } = logitsGradient;
    const slopes = grid(data, rows.length, columns);
    const precision = precisionOf(slopes);
    putProduct({ data: hiddenGradient.data, scale: 1, adds: false }, [...rows.keys()], {
      a: slopes,
      b: transpose(grid(weight.data, weight.rows, columns)),
      precision,
    });
    for (const [i, row] of rows.entries()) {
      this.#hidden.sink.add(row, hiddenGradient.data, i * hiddenGradient.columns);
    }
    putProduct(this.#weight.sink.claim(weight.rows), [...Array(weight.rows).keys()], {
      a: transpose(grid(hidden.data, rows.length, hidden.columns)),
      b: slopes,
      precision,
    });
    if (!this.#bias) return;
    const sums = this.#biasSums;
    for (let i = 0; i < rows.length; i++) {
      for (let j = 0; j < columns; j++) sums[j]! += data[i * columns + j]!;
    }
  }

  /**
   * Completes the gradients. Throws if a gradient is not finite, or if a sum overflows the dtype.
   */
  finish(operation: string): void {
    if (this.#bias) this.#bias.sink.add(0, this.#biasSums);
    for (const [name, output] of this.#named()) {
      const argument = `gradients.${name}`;
      output.sink.finish();
      output.sink.settle(Infinity); // looks at every element
      output.sink.check(operation, argument);
      output.finish(operation, argument);
    }
  }

  /** Writes the gradients of an accumulating call, once the whole call has succeeded. */
  commit(): HeadGradients<T> {
    for (const [, output] of this.#named()) output.commit();
    const gradients = { hidden: this.#hidden.gradient, weight: this.#weight.gradient };
    return this.#bias ? { ...gradients, bias: this.#bias.gradient } : gradients;
  }

  #named(): [string, GradientOutput<T>][] {
    const named: [string, GradientOutput<T>][] = [
      ['hidden', this.#hidden],
      ['weight', this.#weight],
    ];
    if (this.#bias) named.push(['bias', this.#bias]);
    return named;
  }
}
