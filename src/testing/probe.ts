import type { Matrix } from '../core/matrix.js';
import { type Line, slopes } from './slope.js';

/** The place that a probe moves: an element, or all elements in a direction. */
export interface Place {
  /** `student`, the name of a layer, or the name of a learnable parameter. */
  readonly of: string;
  /** The row and column of the element. */
  readonly row?: number | undefined;
  readonly column?: number | undefined;
  /** The number of the direction. */
  readonly direction?: number | undefined;
}

/** A matrix that the loss depends on, and the gradient to be checked. */
export interface Variable {
  readonly of: string;
  readonly value: Matrix<Float64Array>;
  readonly gradient: Matrix<Float64Array>;
}

/** The loss along a line through a place, with the slope according to the gradient. */
export interface Probe extends Line {
  readonly place: Place;
}

/**
 * Rounding is measured at neighbouring points of a line. Their distance is this share of the step
 * h: far enough for independent rounding errors, near enough for the third difference of a smooth
 * loss to be negligible beside them.
 */
const SPACING = 1e-5;
const NEIGHBOURS = 5;

/**
 * Standard deviation of the third difference of values with independent errors of standard
 * deviation 1: √(1 + 9 + 9 + 1).
 */
const THIRD_DIFFERENCE_DEVIATION = Math.sqrt(20);

/**
 * Bound of rounding errors, in standard deviations. A few of a million errors exceed 5 deviations,
 * and the deviation is itself an estimate.
 */
const MARGIN = 8;

/**
 * Number of elements, or of directions, along which rounding is measured. Fewer directions suffice,
 * because moving in a direction changes the rounding of every term.
 */
const NOISE_ELEMENTS = 16;
const NOISE_DIRECTIONS = 4;

/**
 * Returns the scale of errors: the largest element of the gradient. Near a minimum the gradient
 * goes to 0, but the curvature and the rounding of the loss do not. The scale is therefore at least
 * the gradient one step away (the median over the probes), and at least the smallest slope that a
 * difference can resolve.
 *
 * @param here - the loss at the start
 * @param size - the largest element of the gradient, or its norm for directions
 * @param noise - the rounding error of the loss
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
  // If no element can be moved, every element of the gradient must be 0, and any scale will do.
  const resolved = step > 0 ? noise / step : 1;
  return Math.max(Number.isFinite(size) ? size : 0, median, resolved);
}

/**
 * Estimates the rounding error of the loss as in Moré and Wild, "Estimating Computational Noise"
 * (2011): from third differences of neighbouring values, in which a smooth loss cancels. The
 * smaller estimate of both sides of the start counts, because the loss may jump on the other side.
 * The result is at least the rounding error of intermediate numbers of magnitude 1.
 *
 * @param lines - probes along directions; empty if all elements are probed
 * @param here - the loss at the start
 */
export function noiseOf(
  elements: readonly Probe[],
  lines: readonly Probe[],
  here: number,
  normalizer: number,
): number {
  const stride = Math.ceil(elements.length / NOISE_ELEMENTS);
  const probes =
    lines.length > 0
      ? lines.slice(0, NOISE_DIRECTIONS)
      : elements.filter(({ h }, i) => i % stride === 0 && h > 0);
  const estimates = probes.map((probe) => Math.min(deviationOf(probe, 1), deviationOf(probe, -1)));
  const deviation = estimates
    .filter(Number.isFinite)
    .reduce((most, each) => Math.max(most, each), 0);
  return MARGIN * Math.max(deviation, Number.EPSILON * Math.max(1 / normalizer, Math.abs(here)));
}

/**
 * Estimates the standard deviation of the rounding error on one side of the start. The start is
 * left out, because the loss may have a kink or a jump there.
 */
function deviationOf({ at, h }: Probe, side: 1 | -1): number {
  const losses = Array.from({ length: NEIGHBOURS }, (_, i) => at(side * (i + 1) * SPACING * h));
  const thirds = losses.slice(3).map((loss, i) => {
    const [first, second, third] = [losses[i]!, losses[i + 1]!, losses[i + 2]!];
    return Math.abs(loss - 3 * third + 3 * second - first);
  });
  return Math.max(...thirds) / THIRD_DIFFERENCE_DEVIATION;
}

/** Returns the probe that moves one element. */
export function alongElement(
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
    // An element that is not finite cannot be moved: a class ruled out, or a row that is not read.
    h: Number.isFinite(x) ? unit * Math.max(1, Math.abs(x)) : 0,
  };
}

/** Returns the probe that moves all elements of a variable, each up or down at random. */
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
