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

/** Entries below this are rounding in the gradient itself, whose terms cancel: an error of 1e-15 is none. */
const SMALLEST_SCALE = 1e-9;

/** A distance, for an entry of 1, that shows the rounding of a loss and hardly its slope; and how often to look. */
const A_FEW_ULPS = 1e-14;
const NOISE_PROBES = 32;

/**
 * What errors are relative to: the largest entry of the gradient. Where it is all but 0, at a minimum, what it is one
 * step away, so that the curvature of a loss is not measured against nothing.
 */
export function scaleOf(probes: readonly Probe[], here: number, size: number): number {
  const gaps = probes.map((probe) => slopes(probe, here, probe.h).gap).filter((gap) => gap > 0);
  const median = gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
  return Math.max(Number.isFinite(size) ? size : 0, median, SMALLEST_SCALE);
}

/**
 * How far rounding moves the loss: what a tiny move shows, to the side where it shows less (the other may be
 * beyond a jump), and no less than the rounding of numbers of the size of 1 on the way to the loss.
 */
export function noiseOf(
  probes: readonly Probe[],
  here: number,
  step: number,
  normalizer: number,
): number {
  return probes.slice(0, NOISE_PROBES).reduce(
    (most, { at, h }) => {
      const tiny = (h / step) * A_FEW_ULPS;
      return Math.max(most, Math.min(Math.abs(at(tiny) - here), Math.abs(at(-tiny) - here)));
    },
    Number.EPSILON * Math.max(1 / normalizer, Math.abs(here)),
  );
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
