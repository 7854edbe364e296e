import { Matrix } from '../core/matrix.js';
import type { FloatArray, NumericTrait } from '../core/numeric.js';
import { checkRepresentable } from './gradient.js';

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

/** Runs an evaluation that adds to the sums of `parameters`, and checks that their gradients can hold them. */
export function rehearse<T extends FloatArray, R>(
  operation: string,
  parameters: readonly Parameter<T>[],
  accumulate: boolean,
  evaluate: () => R,
): R {
  for (const { sum } of parameters) sum.fill(0);
  const result = evaluate();
  for (const { name, sum, gradient } of parameters) {
    const { data, columns, numeric } = gradient;
    const argument = `gradient of ${name}`;
    for (let i = 0; i < sum.length; i++) {
      if (accumulate) sum[i]! += data[i]!;
      checkRepresentable(
        operation,
        argument,
        sum[i]!,
        numeric.largest,
        Math.floor(i / columns),
        i % columns,
      );
    }
  }
  return result;
}

/** {@link rehearse}, and keeps the gradients: all of them or, where anything fails, none. */
export function learn<T extends FloatArray, R>(
  operation: string,
  parameters: readonly Parameter<T>[],
  accumulate: boolean,
  evaluate: () => R,
): R {
  const result = rehearse(operation, parameters, accumulate, evaluate);
  for (const { sum, gradient } of parameters) gradient.data.set(sum);
  return result;
}
