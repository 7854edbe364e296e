/** Up to here the series is as good as doubles are; beyond, the difference has lost no digits that count. */
const SERIES = 0.02;

/**
 * One term of KL(p ‖ q) = Σ p log(p/q) − p + q, given d = log q − log p. The last two terms add up to 0 over a
 * row; with them no term is negative, and none of the digits cancel where q is close to p.
 */
export function divergence(p: number, q: number, d: number): number {
  if (p === 0) return d === -Infinity ? Number.NaN : q;
  if (Math.abs(d) > SERIES) return q - p - p * d;
  // p (exp d − 1 − d)
  return (
    p * d * d * (1 / 2 + d * (1 / 6 + d * (1 / 24 + d * (1 / 120 + d * (1 / 720 + d / 5040)))))
  );
}
