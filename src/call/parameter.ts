import { Matrix } from '../core/matrix.js';
import type { FloatArray, NumericTrait } from '../core/numeric.js';
import { checkRepresentable } from './gradient.js';

/**
 * Holds a learnable matrix of a strategy. Any optimiser can step `value` against `gradient`.
 *
 * A strategy of your own that learns returns its parameters from `parameters()`. Its `evaluate`
 * adds `gradient.scale × d(loss)/d(value)` to `sum` wherever it adds to the student's gradient;
 * loss is the number that `evaluate` returns.
 *
 * @example
 * ```ts
 * import { float32, Parameter } from 'knowledge-distillation';
 *
 * const bias = new Parameter('bias', 1, 2, float32); // zeros
 * bias.gradient.data.set([1, -2]); // in a training loop, a gradient call writes it
 * for (const [i, slope] of bias.gradient.data.entries()) bias.value.data[i]! -= 0.5 * slope;
 * console.log(JSON.stringify(bias.value.toRows())); // [[-0.5,1]]
 * ```
 */
export class Parameter<T extends FloatArray = Float32Array> {
  /** Name of the parameter in errors and in saved states. */
  readonly name: string;
  /** The matrix to learn. */
  readonly value: Matrix<T>;
  /** d loss / d value of the last gradient call that succeeded. */
  readonly gradient: Matrix<T>;
  /**
   * Gradient of the running call, to which `evaluate` adds. It is in doubles, so that the gradient
   * is rounded once.
   */
  readonly sum: Float64Array;
  /** @internal Whether a running call adds to `sum`. */
  isSumming = false;
  /**
   * @internal Copy of `gradient` before the running call, if a call inside it has overwritten
   * `gradient`.
   */
  before: T | undefined;

  /**
   * Creates a parameter of zeros.
   *
   * @param name - name in errors and in saved states
   * @param rows - number of rows, ≥ 0
   * @param columns - number of columns, ≥ 1
   * @param numeric - number format of the student, `float32` or `float64`
   */
  constructor(name: string, rows: number, columns: number, numeric: NumericTrait<T>) {
    this.name = name;
    this.value = Matrix.zeros(rows, columns, numeric);
    this.gradient = this.value.zerosLike();
    this.sum = new Float64Array(rows * columns);
  }
}

/** State of a parameter in an enclosing call, which an inner call saves and restores. */
interface OuterState<T extends FloatArray> {
  readonly sum: Float64Array;
  readonly before: T;
}

/**
 * Manages the sums of the parameters in one call. A strategy may be called inside `evaluate` of
 * another strategy and learn the same parameters: the inner call saves the sums of the outer call
 * and restores them.
 */
export class ParameterSums<T extends FloatArray> {
  readonly #parameters: readonly Parameter<T>[];
  readonly #outer: readonly (OuterState<T> | undefined)[];

  constructor(parameters: readonly Parameter<T>[]) {
    this.#parameters = [...new Set(parameters)];
    this.#outer = this.#parameters.map((parameter) => {
      const { sum, gradient } = parameter;
      const outer = parameter.isSumming
        ? { sum: sum.slice(), before: parameter.before ?? (gradient.data.slice() as T) }
        : undefined;
      parameter.isSumming = true;
      parameter.before = undefined;
      sum.fill(0);
      return outer;
    });
  }

  /**
   * Adds the earlier gradients to the sums if `accumulate`; throws if a gradient cannot hold a sum.
   */
  check(operation: string, accumulate: boolean): void {
    for (const { name, sum, gradient, before = gradient.data } of this.#parameters) {
      const { columns, numeric } = gradient;
      for (let i = 0; i < sum.length; i++) {
        if (accumulate) sum[i]! += before[i]!;
        const value = sum[i]!;
        if (Math.abs(value) <= numeric.largest) continue;
        const row = Math.floor(i / columns);
        checkRepresentable(
          operation,
          `gradient of ${name}`,
          value,
          numeric.largest,
          row,
          i % columns,
        );
      }
    }
  }

  /** Copies the sums to the gradients. */
  commitGradients(): void {
    for (const parameter of this.#parameters) {
      parameter.gradient.data.set(parameter.sum);
      parameter.before = undefined;
    }
  }

  /** Ends the call; restores gradients that were not committed. */
  close(): void {
    for (const [i, parameter] of this.#parameters.entries()) {
      const outer = this.#outer[i];
      if (parameter.before) parameter.gradient.data.set(parameter.before);
      parameter.before = outer?.before;
      parameter.isSumming = outer !== undefined;
      if (outer) parameter.sum.set(outer.sum);
    }
  }
}

/**
 * Calls a strategy that implements the interface alone, inside a call that sums the gradients of
 * `parameters`. If the strategy wraps strategies that write to the gradients of these parameters,
 * the gradients are added to the sums, times `scale`.
 */
export function addGradientsOf<T extends FloatArray, R>(
  parameters: readonly Parameter<T>[],
  scale: number,
  compute: () => R,
): R {
  for (const parameter of parameters) {
    const { data } = parameter.gradient;
    parameter.before ??= data.slice() as T;
    data.fill(0);
  }
  const result = compute();
  for (const { sum, gradient } of parameters) {
    for (let i = 0; i < sum.length; i++) sum[i]! += scale * gradient.data[i]!;
  }
  return result;
}
