/**
 * Factors of the step h, tried one after another while a difference disagrees: the error by
 * curvature decreases with h², a wrong gradient does not.
 */
const REFINEMENTS = [1, 0.1, 0.01, 0.001];

/** Factors of the step h at which a kink is measured: its gap is the same at both. */
const WIDE = 0.1;
const NARROW = 0.01;

/**
 * The loss counts as smooth if the slopes to both sides differ by at most this share of the largest
 * element of the gradient.
 */
const SMOOTH = 1e-3;

/** The loss along a line, with the slope at its start according to the gradient. */
export interface Line {
  readonly at: (distance: number) => number;
  readonly analytic: number;
  /** The step of the differences; 0 if no element can be moved. */
  readonly h: number;
}

/** The resolution of differences, and the tolerance. */
export interface Resolution {
  /**
   * Rounding error of the loss. Divided by the step, it is the smallest slope that a difference can
   * resolve.
   */
  readonly noise: number;
  /** Differences of slopes up to this number count as rounding. */
  readonly rounding: number;
  /** Errors are relative to this number: the largest element of the gradient. */
  readonly scale: number;
  /** The largest error, relative to `scale`. */
  readonly tolerance: number;
}

/**
 * Compares the slope at the start of a line with central differences. If they disagree, the
 * differences are repeated with smaller steps, as long as rounding allows. At a kink, the slope
 * must lie between the slopes to both sides. If no element can be moved, the slope must be 0.
 *
 * @param here - the loss at the start
 * @returns `numeric`, the best difference; `difference`, the error of the slope beyond rounding;
 *   `kink`, whether the loss has a kink at the start
 */
export function compareSlope(
  line: Line,
  here: number,
  { noise, rounding, scale, tolerance }: Resolution,
): { numeric: number; difference: number; kink: boolean } {
  const { analytic, h } = line;
  if (h === 0) return { numeric: 0, difference: Math.abs(analytic), kink: false };
  let best = { numeric: Number.NaN, difference: Infinity, kink: false };
  const consider = (numeric: number, uncertainty: number) => {
    const difference = Math.max(0, Math.abs(analytic - numeric) - Math.max(uncertainty, rounding));
    if (difference < best.difference) best = { numeric, difference, kink: false };
  };
  for (const factor of REFINEMENTS) {
    const distance = h * factor;
    // At a smaller step, rounding could exceed the tolerance and would excuse every slope.
    if (factor < 1 && noise / distance > tolerance * scale) break;
    const whole = central(line, here, distance);
    consider(whole, noise / distance);
    if (best.difference <= tolerance * scale) break;
    const half = central(line, here, distance / 2);
    // Richardson extrapolation: an error in h² is a quarter at half the step, and cancels.
    consider(half + (half - whole) / 3, (2 * noise) / distance);
    // If the slope has a kink, as at the edge of a squared hinge, the error is in h: it is half at
    // half the step, and cancels.
    consider(half + (half - whole), (3 * noise) / distance);
    if (best.difference <= tolerance * scale) break;
  }
  const agrees = best.difference <= tolerance * scale;
  if (agrees && slopes(line, here, h).gap <= SMOOTH * scale) return best;
  const wide = slopes(line, here, h * WIDE);
  const { left, right, gap } = slopes(line, here, h * NARROW);
  // As h decreases, the gap between both sides decreases if the loss is smooth, stays the same at a
  // kink, and increases at a jump.
  const isKink = gap >= 0.5 * wide.gap && gap <= 2 * wide.gap && gap > (4 * noise) / (h * NARROW);
  if (!isKink || (agrees && gap <= SMOOTH * scale)) return best;
  const slack = SMOOTH * gap; // for the curvature on both sides
  const between =
    analytic >= Math.min(left, right) - slack && analytic <= Math.max(left, right) + slack;
  return { ...best, difference: between ? 0 : best.difference, kink: true };
}

/** Returns the slopes to the left and to the right of the start, and their distance. */
export function slopes(
  { at }: Line,
  here: number,
  h: number,
): { left: number; right: number; gap: number } {
  const left = (here - at(-h)) / h;
  const right = (at(h) - here) / h;
  return { left, right, gap: Math.abs(right - left) };
}

function central(line: Line, here: number, h: number): number {
  const { left, right } = slopes(line, here, h);
  return (left + right) / 2;
}
