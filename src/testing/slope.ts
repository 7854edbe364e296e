/**
 * The steps tried where a difference disagrees: curvature fades with h², a wrong gradient stays.
 */
const REFINEMENTS = [1, 0.1, 0.01, 0.001];

/** The steps between which a kink stays one. */
const WIDE = 0.1;
const NARROW = 0.01;

/**
 * Two sides whose slopes differ by less than this share of the largest entry are one smooth slope.
 */
const SMOOTH = 1e-3;

/** A loss along one line, with the slope that is claimed for its start. */
export interface Line {
  readonly at: (distance: number) => number;
  readonly analytic: number;
  /** The step of the differences; 0 where nothing can be moved. */
  readonly h: number;
}

/** What a difference can resolve, and how near it has to come. */
export interface Resolution {
  /**
   * How far rounding moves the loss: divided by the step, what the difference cannot tell from 0.
   */
  readonly noise: number;
  /** The magnitude below which slopes count as equal. */
  readonly rounding: number;
  /** What errors are relative to: the largest entry of the gradient. */
  readonly scale: number;
  /** The largest error, relative to `scale`. */
  readonly tolerance: number;
}

/**
 * Compares the slope claimed at the start of a line with central differences, repeated with smaller
 * steps where it disagrees and rounding does not blur them. At a kink it only has to lie between
 * the slopes to the two sides; where nothing moves it has to be 0.
 *
 * @param here - the loss at the start
 * @returns the best difference; how far the slope is from it, beyond what rounding explains;
 * whether there is a kink
 */
export function compareSlope(
  line: Line,
  here: number,
  { noise, rounding, scale, tolerance }: Resolution,
): { numeric: number; difference: number; kink: boolean } {
  const { analytic, h } = line;
  if (h === 0) return { numeric: 0, difference: Math.abs(analytic), kink: false };
  let best = { numeric: Number.NaN, difference: Infinity, kink: false };
  const consider = (numeric: number, forgiven: number) => {
    const difference = Math.max(0, Math.abs(analytic - numeric) - Math.max(forgiven, rounding));
    if (difference < best.difference) best = { numeric, difference, kink: false };
  };
  for (const factor of REFINEMENTS) {
    const distance = h * factor;
    // A smaller step is no use where rounding blurs it by more than what has to be seen: it would
    // excuse any slope.
    if (factor < 1 && noise / distance > tolerance * scale) break;
    const whole = central(line, here, distance);
    consider(whole, noise / distance);
    if (best.difference <= tolerance * scale) break;
    const half = central(line, here, distance / 2);
    // Richardson: the error that fades with h² is a quarter at half the step, and cancels.
    consider(half + (half - whole) / 3, (2 * noise) / distance);
    // Where the slope itself has a corner, as at the edge of a squared hinge, the error fades with
    // h.
    consider(half + (half - whole), (3 * noise) / distance);
    if (best.difference <= tolerance * scale) break;
  }
  const agrees = best.difference <= tolerance * scale;
  if (agrees && slopes(line, here, h).gap <= SMOOTH * scale) return best;
  const wide = slopes(line, here, h * WIDE);
  const { left, right, gap } = slopes(line, here, h * NARROW);
  // The gap between the two sides shrinks with h where the loss is smooth, stays at a kink, and
  // grows at a jump.
  const stays = gap >= 0.5 * wide.gap && gap <= 2 * wide.gap && gap > (4 * noise) / (h * NARROW);
  if (!stays || (agrees && gap <= SMOOTH * scale)) return best;
  const slack = SMOOTH * gap; // the curvature on either side
  const between =
    analytic >= Math.min(left, right) - slack && analytic <= Math.max(left, right) + slack;
  return { ...best, difference: between ? 0 : best.difference, kink: true };
}

/** The slopes to the two sides of the start, and how far they are apart. */
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
