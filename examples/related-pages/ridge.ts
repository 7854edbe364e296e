import type { Features } from '../shared/training.js';
import { addScaled, dot } from '../shared/vectors.js';

/**
 * Ridge regression: the weights W that minimize Σ ‖x W − target‖² + penalty · ‖W‖², with a row of
 * `width` for each feature. The samples are fewer than the features, so it solves the dual form W =
 * Xᵀ (X Xᵀ + penalty)⁻¹ targets.
 */
export function ridge(
  samples: readonly Features[],
  features: number,
  targets: Float32Array,
  penalty: number,
): Float32Array {
  const count = samples.length;
  const width = targets.length / count;
  const products = productsOf(samples, features);
  for (let i = 0; i < count; i++) products[i * count + i]! += penalty;
  const shares = solve(products, Float64Array.from(targets), width);
  const weights = new Float32Array(features * width);
  samples.forEach(({ indices, values }, sample) => {
    indices.forEach((feature, k) => {
      addScaled(weights, feature * width, values[k]!, shares, sample * width, width);
    });
  });
  return weights;
}

/** Returns the inner products of all pairs of samples. */
function productsOf(samples: readonly Features[], features: number): Float64Array {
  const count = samples.length;
  const products = new Float64Array(count * count);
  const whole = new Float64Array(features);
  samples.forEach((sample, i) => {
    sample.indices.forEach((feature, k) => {
      whole[feature] = sample.values[k]!;
    });
    samples.forEach(({ indices, values }, j) => {
      products[i * count + j] = indices.reduce(
        (sum, feature, k) => sum + whole[feature]! * values[k]!,
        0,
      );
    });
    for (const feature of sample.indices) whole[feature] = 0;
  });
  return products;
}

/**
 * Solves `matrix` · x = `right` for x, with `width` columns, by the Cholesky decomposition.
 * Overwrites both arguments.
 */
function solve(matrix: Float64Array, right: Float64Array, width: number): Float64Array {
  const size = right.length / width;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const rest = matrix[i * size + j]! - dot(matrix, i * size, matrix, j * size, j);
      matrix[i * size + j] = i === j ? Math.sqrt(rest) : rest / matrix[j * size + j]!;
    }
  }
  const divide = (row: number) => {
    for (let k = row * width; k < (row + 1) * width; k++) right[k]! /= matrix[row * size + row]!;
  };
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++)
      addScaled(right, i * width, -matrix[i * size + j]!, right, j * width, width);
    divide(i);
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let j = i + 1; j < size; j++)
      addScaled(right, i * width, -matrix[j * size + i]!, right, j * width, width);
    divide(i);
  }
  return right;
}
