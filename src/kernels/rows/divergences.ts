// Divergences of the distributions of one row, p the teacher's and q the student's, both with their
// logarithms. Each writes its derivative by log q to `slope`, as if every log q were free;
// softmaxAdjoint makes one by the logits of it.
//
// A class that both rule out (probability 0, logarithm −Infinity) adds 0. Terms are made such that
// none is negative and nothing cancels where q is close to p; over a row, what is added to them for
// that adds up to 0.

import { curvature, divergence } from './divergence.js';

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
 * log(own + other · exp(d)) of two shares that add up to 1: log m − log p of the mixture m = own ·
 * p + other · q where d is log q − log p.
 */
function toMixture(own: number, other: number, d: number): number {
  // From the side on which the exponential cannot overflow.
  if (d > 0) return toMixture(other, own, -d) + d;
  const x = other * Math.expm1(d);
  return x > -0.5 ? Math.log1p(x) : Math.log(own + other * Math.exp(d)); // 1 + x would lose a small share of its own
}

/**
 * What p and q count for, each: their shares of a mixture, which add up to 1, the weights of their
 * divergences, or the powers that they are raised to.
 */
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
      // d/dq of q (log q − log m) − q + m: log q − log m + shares.p − shares.q (q / m − 1) −
      // shares.p
      if (q[j]! > 0) slope[j]! -= weights.q * q[j]! * (v + shares.q * Math.expm1(-v));
    }
  }
  return sum;
}

/**
 * (end − start) / power, where log end − log start is power · x: start · x in the limit of the
 * power 0.
 */
function step(start: number, end: number, power: number, x: number): number {
  const z = power * x;
  if (z === 0) return start * x;
  return Math.abs(z) < 1 ? start * x * (Math.expm1(z) / z) : (end - start) / power;
}

/**
 * −1 / (a b) Σ [p^a q^b − a / (a + b) p^(a + b) − b / (a + b) q^(a + b)], a = powers.p ≥ 0 and b =
 * powers.q ≥ 0; its limits where one of them or both are 0.
 *
 * Between P = p^(a + b) and Q = q^(a + b) stands M = p^a q^b. The way from P to Q has two steps, (M
 * − P) / b and (Q − M) / a; the way back has (M − Q) / a and (P − M) / b. A term is what the second
 * step has beyond the first step, divided by a + b, and its slope by log q is (Q − M) / a. The way
 * starts on the side that has the larger power: the first step is then divided by the smaller
 * power, of which a limit may have to be taken.
 */
export function alphaBetaDivergence({ logP, logQ, slope }: Distributions, powers: OfBoth): number {
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
