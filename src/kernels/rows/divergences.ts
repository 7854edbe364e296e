// Divergences of the distributions of one row: the teacher's p and the student's q, both with their
// logarithms. Each divergence writes d(divergence) / d(log q) to `slope`, with every log q as a
// free variable; addSoftmaxAdjoint turns it into the derivative with respect to the logits.
//
// A class that both sides rule out (probability 0, logarithm −Infinity) adds 0. Each term has an
// addend, which sums to 0 over a row, so that no term is negative and nothing cancels if q is close
// to p.

import { curvature, divergence } from './divergence.js';

/** The distributions of one row. */
export interface Distributions {
  readonly logP: Float64Array;
  readonly p: Float64Array;
  readonly logQ: Float64Array;
  readonly q: Float64Array;
  readonly slope: Float64Array;
}

/** Returns q − p for d = log q − log p, without cancellation if q is close to p. */
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
 * Returns log(own + other · exp(d)) for two shares with the sum 1. With d = log q − log p, this is
 * log m − log p for the mixture m = own · p + other · q.
 */
function logRatioToMixture(own: number, other: number, d: number): number {
  // Swapped for d > 0, so that the exponential cannot overflow.
  if (d > 0) return logRatioToMixture(other, own, -d) + d;
  const x = other * Math.expm1(d);
  // log1p would lose a small share `own` if x is close to −1.
  return x > -0.5 ? Math.log1p(x) : Math.log(own + other * Math.exp(d));
}

/**
 * One number for p and one for q: shares of a mixture, which sum to 1, weights of divergences, or
 * powers.
 */
export interface PerSide {
  readonly p: number;
  readonly q: number;
}

/** weights.p · KL(p ‖ m) + weights.q · KL(q ‖ m), m = shares.p · p + shares.q · q */
export function mixtureDivergence(
  { logP, p, logQ, q, slope }: Distributions,
  shares: PerSide,
  weights: PerSide,
): number {
  let sum = 0;
  for (let j = 0; j < p.length; j++) {
    slope[j] = 0;
    if (isRuledOut(logP[j]!, logQ[j]!)) continue;
    const d = logQ[j]! - logP[j]!;
    const m = shares.p * p[j]! + shares.q * q[j]!;
    const u = logRatioToMixture(shares.p, shares.q, d);
    const v = logRatioToMixture(shares.q, shares.p, -d);
    if (weights.p > 0) {
      sum += weights.p * divergence(p[j]!, m, u);
      // d/dq of −p log m + m: shares.q (1 − p / m)
      slope[j]! -= weights.p * shares.q * q[j]! * Math.expm1(-u);
    }
    if (weights.q > 0) {
      sum += weights.q * divergence(q[j]!, m, v);
      // d/dq of q (log q − log m) − q + m: log q − log m + shares.p − shares.q (q / m − 1) −
      // shares.p
      if (q[j]! > 0) slope[j]! -= weights.q * q[j]! * (v + shares.q * Math.expm1(-v));
    }
  }
  return sum;
}

/**
 * Returns (end − start) / power for log end − log start = power · x. In the limit power → 0 it is
 * start · x.
 */
function step(start: number, end: number, power: number, x: number): number {
  const z = power * x;
  if (z === 0) return start * x;
  return Math.abs(z) < 1 ? start * x * (Math.expm1(z) / z) : (end - start) / power;
}

/**
 * −1 / (a b) Σ [p^a q^b − a / (a + b) p^(a + b) − b / (a + b) q^(a + b)] for a = powers.p ≥ 0 and b
 * = powers.q ≥ 0; its limit if a, b or both are 0.
 *
 * Let P = p^(a + b), Q = q^(a + b) and M = p^a q^b. From P to Q there are two steps, (M − P) / b
 * and (Q − M) / a; from Q to P, (M − Q) / a and (P − M) / b. A term is (second step − first step) /
 * (a + b), in either direction. Its derivative with respect to log q is (Q − M) / a. The
 * computation starts on the side with the larger power, so that only the first step is divided by
 * the smaller power, which may be 0.
 */
export function alphaBetaDivergence({ logP, logQ, slope }: Distributions, powers: PerSide): number {
  const isBack = powers.p < powers.q;
  const [logStart, logEnd] = isBack ? [logQ, logP] : [logP, logQ];
  const [smaller, larger] = isBack ? [powers.p, powers.q] : [powers.q, powers.p];
  const total = smaller + larger;
  const share = total === 0 ? 0 : smaller / total;
  let sum = 0;
  for (let j = 0; j < slope.length; j++) {
    slope[j] = 0;
    const [from, to] = [logStart[j]!, logEnd[j]!];
    if (isRuledOut(from, to)) continue;
    const x = to - from;
    const y = total * x;
    const start = Math.exp(total * from);
    const middle = Math.exp(larger * from + smaller * to);
    const first = from === -Infinity ? 0 : step(start, middle, smaller, x);
    let value: number;
    let second: number;
    if (Math.abs(y) < 1) {
      const curve = (curvature(y) - share * curvature(smaller * x)) / (1 - share);
      value = start * x * x * curve;
      second = first + total * value;
    } else {
      second = (Math.exp(total * to) - middle) / larger;
      value = (second - first) / total;
    }
    sum += value;
    slope[j] = isBack ? -first : second;
  }
  return sum;
}

/** ½ Σ |p − q|; the derivative of a class with p = q is 0. */
export function totalVariation({ logP, p, logQ, q, slope }: Distributions): number {
  let sum = 0;
  for (let j = 0; j < p.length; j++) {
    const u = isRuledOut(logP[j]!, logQ[j]!) ? 0 : difference(p[j]!, q[j]!, logQ[j]! - logP[j]!);
    sum += 0.5 * Math.abs(u);
    slope[j] = 0.5 * Math.sign(u) * q[j]!;
  }
  return sum;
}
