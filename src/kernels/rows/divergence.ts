/**
 * Largest |d| for which {@link curvature} has double precision. Above it, the direct formula q − p
 * − p d loses no significant digits to cancellation.
 */
const MAX_SERIES = 1;

/**
 * Returns one term of KL(p ‖ q) = Σ p log(p/q) − p + q, for d = log q − log p. The addend q − p
 * sums to 0 over a row. With it no term is negative, and nothing cancels if q is close to p.
 */
export function divergence(p: number, q: number, d: number): number {
  if (p === 0) return d === -Infinity ? Number.NaN : q;
  if (Math.abs(d) > MAX_SERIES) return q - p - p * d;
  return p * d * d * curvature(d); // p (exp d − 1 − d)
}

/**
 * Returns (exp d − 1 − d) / d² for |d| ≤ 1, by the polynomial of least error of its degree: 2e-16.
 */
export function curvature(d: number): number {
  const high =
    2.504897129972493e-8 +
    d * (2.087479843099664e-9 + d * (1.6309412649784643e-10 + d * 1.1627098130423447e-11));
  const middle =
    0.00019841269786275093 +
    d *
      (2.4801587267259408e-5 + d * (2.755733806780384e-6 + d * (2.755733098715279e-7 + d * high)));
  return (
    0.5 +
    d *
      (0.16666666666666421 +
        d *
          (0.04166666666666651 +
            d * (0.0083333333334021 + d * (0.001388888888893181 + d * middle))))
  );
}
