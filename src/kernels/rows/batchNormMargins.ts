// The standard normal distribution.

/** φ(x) */
export function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

/** Φ(x) = ½ + φ(x) · (x + x³/3 + x⁵/(3 · 5) + …), to a few roundings of 1. */
export function normalProbability(x: number): number {
  if (Math.abs(x) > 9) return x > 0 ? 1 : 0; // to less than a rounding
  let term = x;
  let sum = x;
  for (let n = 3, last = 0; sum !== last; n += 2) {
    term *= (x * x) / n;
    last = sum;
    sum += term;
  }
  return 0.5 + sum * normalDensity(x);
}
