import type { Matrix } from '../core/matrix.js';
import { type Line, slopes } from './slope.js';

/** Where a loss is moved: at an entry, or in a direction. */
export interface Place {
  /** `student`, the name of a layer, or the name of a learnable parameter. */
  readonly of: string;
  /** The entry, where it is one. */
  readonly row?: number;
  readonly column?: number;
  /** The direction, where it is one. */
  readonly direction?: number;
}

/** What the loss is differentiated by, and the derivative that is claimed. */
export interface Variable {
  readonly of: string;
  readonly value: Matrix<Float64Array>;
  readonly gradient: Matrix<Float64Array>;
}

/** A loss along one line, with the slope that is claimed for its start. */
export interface Probe extends Line {
  readonly place: Place;
}

/**
 * Rounding is seen at neighbours on a line, this share of the step of the differences apart: far
 * enough for each to be rounded anew, near enough for the third difference of a smooth loss to
 * vanish beside the rounding.
 */
const SPACING = 1e-5;
const NEIGHBOURS = 5;
/**
 * The third difference of values that are off by errors of deviation 1 has the deviation √(1 + 9 +
 * 9 + 1).
 */
const AMPLIFIED = Math.sqrt(20);
/**
 * The largest error, in deviations: of a million errors a few are five off, and the deviation is an
 * estimate itself.
 */
const MARGIN = 8;
/**
 * Number of entries, or of directions, along which rounding is looked for: a direction rounds every
 * term anew.
 */
const NOISE_ENTRIES = 16;
const NOISE_DIRECTIONS = 4;

/**
 * Returns what errors are relative to: the largest entry of the gradient. Near a minimum it goes to
 * 0, and the curvature of the loss and its rounding do not: the scale is at least what the gradient
 * is one step away (the median over entries), and at least the slope that rounding feigns.
 */
export function scaleOf(
  probes: readonly Probe[],
  here: number,
  size: number,
  noise: number,
): number {
  const gaps = probes.map((probe) => slopes(probe, here, probe.h).gap).filter((gap) => gap > 0);
  const median = gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
  const step = probes.reduce((most, { h }) => Math.max(most, h), 0);
  const resolved = step > 0 ? noise / step : 1; // 1 where nothing moves, and every entry has to be 0
  return Math.max(Number.isFinite(size) ? size : 0, median, resolved);
}

/**
 * Returns how far rounding moves the loss, estimated as by Moré and Wild, "Estimating Computational
 * Noise" (2011): by the differences of third order between neighbours, in which a smooth loss
 * cancels. Of the two sides of the start the one counts that shows less, since the other may have a
 * jump. It is no less than the rounding of numbers of the size of 1 on the way to the loss.
 */
export function noiseOf(
  entries: readonly Probe[],
  lines: readonly Probe[],
  here: number,
  normalizer: number,
): number {
  const stride = Math.ceil(entries.length / NOISE_ENTRIES);
  const probes =
    lines.length > 0
      ? lines.slice(0, NOISE_DIRECTIONS)
      : entries.filter(({ h }, i) => i % stride === 0 && h > 0);
  const seen = probes.map((probe) => Math.min(roughness(probe, 1), roughness(probe, -1)));
  const deviation = seen.filter(Number.isFinite).reduce((most, each) => Math.max(most, each), 0);
  return MARGIN * Math.max(deviation, Number.EPSILON * Math.max(1 / normalizer, Math.abs(here)));
}

/**
 * The rounding that the loss shows to one side of the start, which itself may be a kink or a jump.
 */
function roughness({ at, h }: Probe, side: 1 | -1): number {
  const losses = Array.from({ length: NEIGHBOURS }, (_, i) => at(side * (i + 1) * SPACING * h));
  const thirds = losses.slice(3).map((loss, i) => {
    const [first, second, third] = [losses[i]!, losses[i + 1]!, losses[i + 2]!];
    return Math.abs(loss - 3 * third + 3 * second - first);
  });
  return Math.max(...thirds) / AMPLIFIED;
}

/** The loss as one entry moves. */
export function alongEntry(
  loss: () => number,
  { of, value, gradient }: Variable,
  index: number,
  unit: number,
): Probe {
  const x = value.data[index]!;
  const at = (distance: number): number => {
    value.data[index] = x + distance;
    try {
      return loss();
    } finally {
      value.data[index] = x;
    }
  };
  return {
    place: { of, row: Math.floor(index / value.columns), column: index % value.columns },
    at,
    analytic: gradient.data[index]!,
    // A value that is not finite cannot be moved: a class ruled out, or a row that nobody reads.
    h: Number.isFinite(x) ? unit * Math.max(1, Math.abs(x)) : 0,
  };
}

/** The loss as all entries of a variable move at once, each up or down. */
export function alongDirection(
  loss: () => number,
  { of, value, gradient }: Variable,
  direction: number,
  unit: number,
  random: () => number,
): Probe {
  const origin = value.data.slice();
  const signs = origin.map((x) => (Number.isFinite(x) ? Math.sign(random() - 0.5) : 0));
  const at = (distance: number): number => {
    for (let i = 0; i < origin.length; i++) {
      if (signs[i] !== 0) value.data[i] = origin[i]! + distance * signs[i]!;
    }
    try {
      return loss();
    } finally {
      value.data.set(origin);
    }
  };
  return {
    place: { of, direction },
    at,
    analytic: gradient.data.reduce((sum, g, i) => sum + g * signs[i]!, 0),
    h: unit,
  };
}
