// Density and distribution function of the standard normal distribution.

/** φ(x) = exp(−x² / 2) / √(2π). */
export function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

/**
 * Φ(x) = ½ + φ(x) · (x + x³/3 + x⁵/(3 · 5) + …), with an error of a few units in the last place of
 * 1.
 */
export function normalProbability(x: number): number {
  if (Math.abs(x) > 9) return x > 0 ? 1 : 0; // Φ(−9) ≈ 1e-19
  let term = x;
  let sum = x;
  for (let n = 3, last = 0; sum !== last; n += 2) {
    term *= (x * x) / n;
    last = sum;
    sum += term;
  }
  return 0.5 + sum * normalDensity(x);
}
