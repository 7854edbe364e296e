/** The steps tried where a difference disagrees: curvature fades with h², a wrong gradient stays. */
const REFINEMENTS = [1, 0.1, 0.01, 0.001];
/** A smaller step is no use where rounding blurs it by more than so many tolerances. */
const BLUR = 10;

/** The steps between which a kink stays one. */
const WIDE = 0.1;
const NARROW = 0.01;

/** Two sides whose slopes differ by less than this share of the largest entry are one smooth slope. */
const SMOOTH = 1e-3;

/** A loss along one line, with the slope that is claimed for its start. */
export interface Line {
  readonly at: (distance: number) => number;
  readonly analytic: number;
  /** The step of the differences; 0 where nothing can be moved. */
  readonly h: number;
}

/**
 * Compares the slope claimed at the start of a line with central differences, repeated with smaller steps where it
 * disagrees. At a kink it only has to lie between the slopes to the two sides; where nothing moves it has to be 0.
 *
 * @param here - the loss at the start
 * @param noise - how far rounding moves the loss: the first difference is trusted so far, and smaller steps are
 *   taken only where it does not matter
 * @param scale - the largest entry of the gradient
 * @param tolerance - relative to `scale`
 */
export function compareSlope(
  line: Line,
  here: number,
  noise: number,
  scale: number,
  tolerance: number,
): { numeric: number; difference: number; kink: boolean } {
  const { analytic, h } = line;
  if (h === 0) return { numeric: 0, difference: Math.abs(analytic), kink: false };
  let best = { numeric: Number.NaN, difference: Infinity, kink: false };
  const consider = (numeric: number, forgiven: number) => {
    const difference = Math.max(0, Math.abs(analytic - numeric) - forgiven);
    if (difference < best.difference) best = { numeric, difference, kink: false };
  };
  for (const factor of REFINEMENTS) {
    const distance = h * factor;
    if (factor < 1 && noise / distance > BLUR * tolerance * scale) break;
    const whole = central(line, here, distance);
    consider(whole, noise / distance);
    if (best.difference <= tolerance * scale) break;
    const half = central(line, here, distance / 2);
    // Richardson: the error that fades with h² is a quarter at half the step, and cancels.
    consider(half + (half - whole) / 3, (2 * noise) / distance);
    // Where the slope itself has a corner, as at the edge of a squared hinge, the error fades with h.
    consider(half + (half - whole), (3 * noise) / distance);
    if (best.difference <= tolerance * scale) break;
  }
  const agrees = best.difference <= tolerance * scale;
  if (agrees && slopes(line, here, h).gap <= SMOOTH * scale) return best;
  const wide = slopes(line, here, h * WIDE);
  const { left, right, gap } = slopes(line, here, h * NARROW);
  // The gap between the two sides shrinks with h where the loss is smooth, stays at a kink, and grows at a jump.
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
