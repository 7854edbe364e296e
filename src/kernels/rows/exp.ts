// e^x = 2^(k/256) · 2^(f/256) with an integer k and |f| ≤ ½. A table gives the first factor, a
// polynomial the second.

import type { FloatArray } from '../../core/numeric.js';

/** 2^(i/256) for i < 256. */
const FRACTIONS: Float64Array = /* @__PURE__ */ Float64Array.from(
  { length: 256 },
  (_, i) => 2 ** (i / 256),
);

/** 2^−n for n ≤ 1076; the last two are 0. */
const OCTAVES: Float64Array = /* @__PURE__ */ Float64Array.from(
  { length: 1077 },
  (_, n) => 2 ** -n,
);

/**
 * Writes e[j] = exp(values[offset + j] − max) for every j of e; returns Σ e. No value may be above
 * `max`.
 *
 * The result is exactly 1 at `max`, exactly 0 at −Infinity, and NaN for NaN. Its relative error is
 * at most 3e-16 + 2e-16 · |x|; its absolute error is at most 2e-16. It takes a half to a third of
 * the time of a loop with Math.exp.
 */
export function exponentials(
  values: FloatArray,
  offset: number,
  max: number,
  e: Float64Array,
): number {
  // Tables and constants are local: a variable outside the function would be read in every
  // iteration.
  const [fractions, octaves] = [FRACTIONS, OCTAVES];
  const scale = 256 / Math.LN2;
  const lowest = -1075 * 256; // 2^−1075 is 0
  // The polynomial of least error for (2^(f/256) − 1) / f: 1e-17.
  const c1 = 0.0027076061740622767;
  const c2 = 3.665565596910102e-6;
  const c3 = 3.308302983711395e-9;
  const c4 = 2.2393953276859936e-12;
  let sum = 0;
  for (let j = 0; j < e.length; j++) {
    const x = (values[offset + j]! - max) * scale;
    const y = Math.max(x, lowest);
    const k = (y - 0.5) | 0; // the nearest integer, for y ≤ 0
    const f = y - k;
    const f2 = f * f;
    const rest = f * c1 + f2 * (c2 + f * c3 + f2 * c4);
    const fraction = fractions[k & 255]!;
    const value = (fraction + fraction * rest) * octaves[-(k >> 8)]!;
    e[j] = value;
    sum += value;
  }
  return sum;
}
