// Divergences of the distributions of one row, p the teacher's and q the student's, both with their logarithms. Each
// writes its derivative by log q to `slope`, as if every log q were free; softmaxAdjoint makes one by the logits of it.
//
// A class that both rule out (probability 0, logarithm −Infinity) adds 0. Terms are made such that none is negative and
// nothing cancels where q is close to p; over a row, what is added to them for that adds up to 0.

import { divergence } from './divergence.js';

/** The distributions of one row. */
export interface Distributions {
  readonly logP: Float64Array;
  readonly p: Float64Array;
  readonly logQ: Float64Array;
  readonly q: Float64Array;
  readonly slope: Float64Array;
}

/** q − p, where log q − log p is d: without cancellation where they are close. */
function difference(p: number, q: number, d: number): number {
  return Math.abs(d) < 1 ? p * Math.expm1(d) : q - p;
}

function isRuledOut(logP: number, logQ: number): boolean {
  return logP === -Infinity && logQ === -Infinity;
}

/** KL(p ‖ q) = Σ p (log p − log q) */
export function forwardDivergence({ logP, p, logQ, q, slope }: Distributions): number {
  let sum = 0;
  for (let j = 0; j < p.length; j++) {
    const d = logQ[j]! - logP[j]!;
    slope[j] = difference(p[j]!, q[j]!, d);
    if (!isRuledOut(logP[j]!, logQ[j]!)) sum += divergence(p[j]!, q[j]!, d);
  }
  return sum;
}

/** KL(q ‖ p) = Σ q (log q − log p) */
export function reverseDivergence({ logP, p, logQ, q, slope }: Distributions): number {
  let sum = 0;
  for (let j = 0; j < p.length; j++) {
    const d = logQ[j]! - logP[j]!;
    slope[j] = q[j] === 0 ? 0 : q[j]! * d;
    if (!isRuledOut(logP[j]!, logQ[j]!)) sum += divergence(q[j]!, p[j]!, -d);
  }
  return sum;
}

/**
 * log(own + other · exp(d)) of two shares that add up to 1: log m − log p of the mixture m = own · p + other · q where d is
 * log q − log p.
 */
function toMixture(own: number, other: number, d: number): number {
  // From the side on which the exponential cannot overflow.
  if (d > 0) return toMixture(other, own, -d) + d;
  const x = other * Math.expm1(d);
  return x > -0.5 ? Math.log1p(x) : Math.log(own + other * Math.exp(d)); // 1 + x would lose a small share of its own
}

/** What p and q count for, each: their shares of a mixture, which add up to 1, or the weights of their divergences. */
export interface OfBoth {
  readonly p: number;
  readonly q: number;
}

/** weights.p · KL(p ‖ m) + weights.q · KL(q ‖ m), m = shares.p · p + shares.q · q */
export function mixtureDivergence(
  { logP, p, logQ, q, slope }: Distributions,
  shares: OfBoth,
  weights: OfBoth,
): number {
  let sum = 0;
  for (let j = 0; j < p.length; j++) {
    slope[j] = 0;
    if (isRuledOut(logP[j]!, logQ[j]!)) continue;
    const d = logQ[j]! - logP[j]!;
    const m = shares.p * p[j]! + shares.q * q[j]!;
    const u = toMixture(shares.p, shares.q, d);
    const v = toMixture(shares.q, shares.p, -d);
    if (weights.p > 0) {
      sum += weights.p * divergence(p[j]!, m, u);
      // d/dq of −p log m + m: shares.q (1 − p / m)
      slope[j]! -= weights.p * shares.q * q[j]! * Math.expm1(-u);
    }
    if (weights.q > 0) {
      sum += weights.q * divergence(q[j]!, m, v);
      // d/dq of q (log q − log m) − q + m: log q − log m + shares.p − shares.q (q / m − 1) − shares.p
      if (q[j]! > 0) slope[j]! -= weights.q * q[j]! * (v + shares.q * Math.expm1(-v));
    }
  }
  return sum;
}

/** ½ Σ |p − q|; where they are equal the derivative is taken as 0. */
export function totalVariation({ logP, p, logQ, q, slope }: Distributions): number {
  let sum = 0;
  for (let j = 0; j < p.length; j++) {
    const u = isRuledOut(logP[j]!, logQ[j]!) ? 0 : difference(p[j]!, q[j]!, logQ[j]! - logP[j]!);
    sum += 0.5 * Math.abs(u);
    slope[j] = 0.5 * Math.sign(u) * q[j]!;
  }
  return sum;
}
