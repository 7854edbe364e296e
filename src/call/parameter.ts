import { Matrix } from '../core/matrix.js';
import type { FloatArray, NumericTrait } from '../core/numeric.js';
import { checkRepresentable } from './gradient.js';

/**
 * A learnable matrix of a strategy: step `value` along `gradient` with any optimiser.
 *
 * A strategy of your own that learns returns its parameters from `parameters()`, and in `evaluate`
 * adds `gradient.scale × d(loss)/d(value)` to `sum`, wherever it adds to the student's gradient;
 * loss is what `evaluate` returns.
 */
export class Parameter<T extends FloatArray = Float32Array> {
  readonly name: string;
  readonly value: Matrix<T>;
  /** d loss / d value, as of the last gradient call that succeeded. */
  readonly gradient: Matrix<T>;
  /**
   * Where `evaluate` adds the gradient of the call under way: in doubles, so that it is rounded
   * once.
   */
  readonly sum: Float64Array;
  /** @internal Whether a call is under way that adds to `sum`. */
  isSumming = false;
  /**
   * @internal The gradient before that call, where something inside the call has written another.
   */
  before: T | undefined;

  constructor(name: string, rows: number, columns: number, numeric: NumericTrait<T>) {
    this.name = name;
    this.value = Matrix.zeros(rows, columns, numeric);
    this.gradient = this.value.zerosLike();
    this.sum = new Float64Array(rows * columns);
  }
}

/** What a call inside another one that adds to the same parameter leaves as it found it. */
interface Outer<T extends FloatArray> {
  readonly sum: Float64Array;
  readonly before: T;
}

/**
 * The sums of the parameters in one call. A strategy that is called within `evaluate` of another
 * may learn the same parameters: the sums of the call around it stay what they were.
 */
export class ParameterSums<T extends FloatArray> {
  readonly #parameters: readonly Parameter<T>[];
  readonly #outer: readonly (Outer<T> | undefined)[];

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
   * Adds the gradients to the sums if they accumulate; throws where a gradient cannot hold its sum.
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

  /** Writes the sums to the gradients. */
  commitGradients(): void {
    for (const parameter of this.#parameters) {
      parameter.gradient.data.set(parameter.sum);
      parameter.before = undefined;
    }
  }

  /** Ends the call; gradients that were not committed are as before it. */
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
 * Calls a strategy of the bare interface inside a call that sums the gradients of these parameters.
 * What the strategy writes to their gradients, by strategies that it wraps, is added to the sums,
 * times `scale`.
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
