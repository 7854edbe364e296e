import type { FloatArray } from '../numeric.js';

/** result = bias + x · weight for one row x; weight is [x.length × result.length], row-major. */
export function project(
  x: FloatArray,
  offset: number,
  inputs: number,
  weight: FloatArray,
  bias: FloatArray | undefined,
  result: Float64Array,
): void {
  const outputs = result.length;
  for (let k = 0; k < outputs; k++) result[k] = bias ? bias[k]! : 0;
  for (let j = 0; j < inputs; j++) {
    const value = x[offset + j]!;
    for (let k = 0; k < outputs; k++) result[k]! += value * weight[j * outputs + k]!;
  }
}

/**
 * The adjoint of {@link project} for one row: writes weight · derivative to `inputDerivative`, and adds
 * scale · xᵀ · derivative to `weightSum`.
 */
export function projectGradient(
  x: FloatArray,
  offset: number,
  weight: FloatArray,
  derivative: Float64Array,
  scale: number,
  inputDerivative: Float64Array,
  weightSum: Float64Array,
): void {
  const outputs = derivative.length;
  for (let j = 0; j < inputDerivative.length; j++) {
    const value = scale * x[offset + j]!;
    let sum = 0;
    for (let k = 0; k < outputs; k++) {
      sum += weight[j * outputs + k]! * derivative[k]!;
      weightSum[j * outputs + k]! += value * derivative[k]!;
    }
    inputDerivative[j] = sum;
  }
}
