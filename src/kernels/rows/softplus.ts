/** log(1 + eᵃ), without overflow. */
export function softplus(a: number): number {
  return Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
}

/** The derivative of {@link softplus}. */
export function sigmoid(a: number): number {
  return 1 / (1 + Math.exp(-a));
}

/** Inverse of {@link softplus}, for a value > 0. */
export function inverseSoftplus(value: number): number {
  return value + Math.log(-Math.expm1(-value));
}
