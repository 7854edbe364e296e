import { addScaled } from './kernels/addScaled.js';
import { Matrix } from './matrix.js';
import type { FloatArray, NumericTrait } from './numeric.js';

/**
 * A learnable matrix of a strategy: step `value` along `gradient` with any optimiser.
 *
 * A strategy of your own that learns returns its parameters from `parameters()`, and in `evaluate` adds
 * `gradient.scale × d(sum)/d(value)` to `sum`, wherever it adds to the student's gradient.
 */
export class Parameter<T extends FloatArray = Float32Array> {
  readonly name: string;
  readonly value: Matrix<T>;
  /** d loss / d value, as of the last gradient call that succeeded. */
  readonly gradient: Matrix<T>;
  /** Where `evaluate` adds the gradient of the call under way: in doubles, so that it is rounded once. */
  readonly sum: Float64Array;

  constructor(name: string, rows: number, columns: number, numeric: NumericTrait<T>) {
    this.name = name;
    this.value = Matrix.zeros(rows, columns, numeric);
    this.gradient = this.value.zerosLike();
    this.sum = new Float64Array(rows * columns);
  }
}

/** Runs an evaluation that adds to the sums of `parameters`, and keeps what it added only if it succeeds. */
export function learn<T extends FloatArray, R>(
  parameters: readonly Parameter<T>[],
  accumulate: boolean,
  evaluate: () => R,
): R {
  for (const { sum } of parameters) sum.fill(0);
  const result = evaluate();
  for (const { sum, gradient } of parameters) {
    if (!accumulate) gradient.data.fill(0);
    addScaled(gradient.data, 0, sum, sum.length, 1);
  }
  return result;
}
