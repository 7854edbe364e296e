// e^x = 2^(k/64) · e^r with k an integer and |r| ≤ ln 2 / 128: a table for the first factor, a polynomial for the second.

import type { FloatArray } from '../numeric.js';

/** 2^(i/64) for i < 64. */
const FRACTIONS: Float64Array = /* @__PURE__ */ Float64Array.from(
  { length: 64 },
  (_, i) => 2 ** (i / 64),
);

/** 2^−n for n ≤ 1076; the last two are 0. */
const POWERS: Float64Array = /* @__PURE__ */ Float64Array.from({ length: 1077 }, (_, n) => 2 ** -n);

/**
 * e[j] = exp((values[offset + j] − max) · inverse) for as long as e is, where no value is above `max`; returns Σ e.
 * To 1e-15: exactly 1 at `max` and exactly 0 at −Infinity; NaN stays. About twice as fast as a loop of Math.exp.
 */
export function exponentials(
  values: FloatArray,
  offset: number,
  max: number,
  inverse: number,
  e: Float64Array,
): number {
  // Tables and constants are read once: what stands outside a function is read, and unboxed, at every entry.
  const [fractions, powers] = [FRACTIONS, POWERS];
  const stepsPerNat = 64 / Math.LN2;
  // ln 2 / 64 in two parts: k times the first is exact, so that r keeps its digits.
  const stepHigh = 0.010830424695996044;
  const stepLow = 2.5310172166650877e-13;
  const underflow = -745.14; // below it e^x is less than the smallest double
  let sum = 0;
  for (let j = 0; j < e.length; j++) {
    const x = (values[offset + j]! - max) * inverse;
    let value = 0;
    if (!(x < underflow)) {
      const k = (x * stepsPerNat - 0.5) | 0; // the nearest integer, for x ≤ 0
      const r = x - k * stepHigh - k * stepLow;
      const r2 = r * r;
      const q = r + r2 * (1 / 2 + r * (1 / 6) + r2 * (1 / 24 + r * (1 / 120)));
      const fraction = fractions[k & 63]!;
      value = (fraction + fraction * q) * powers[-(k >> 6)]!;
    }
    e[j] = value;
    sum += value;
  }
  return sum;
}
