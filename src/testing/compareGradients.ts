// The comparison of gradients with differences of the loss, for any set of variables.

import { checkInteger, checkNonNegative, checkNumber, checkPositive } from '../core/errors.js';
import { uniform } from '../core/random.js';
import { norm } from '../kernels/rows/distance.js';
import { largest } from './compare.js';
import {
  alongDirection,
  alongElement,
  noiseOf,
  type Place,
  scaleOf,
  type Variable,
} from './probe.js';
import { compareSlope } from './slope.js';

/** Options of the comparison of a gradient with differences of the loss. */
export interface DifferenceOptions {
  /**
   * Step of the differences: h = step · max(1, |x|) · min(1, smallest temperature). The strategy
   * must accept values moved by h: for probabilities, pass a step below the smallest probability.
   *
   * @defaultValue 1e-4
   */
  readonly step?: number | undefined;
  /**
   * Largest error, relative to the scale of the gradient (see {@link GradientSample}).
   *
   * @defaultValue 1e-6
   */
  readonly tolerance?: number | undefined;
  /**
   * Number of elements that are checked one by one. If there are more elements, a random sample of
   * this size is checked.
   *
   * @defaultValue 256
   */
  readonly maxCoordinates?: number | undefined;
  /**
   * Number of random directions in which all elements are moved at once, if there are more than
   * `maxCoordinates` elements.
   *
   * @defaultValue 16
   */
  readonly directions?: number | undefined;
  /**
   * Seed of the sample and of the directions, an integer.
   *
   * @defaultValue 0
   */
  readonly seed?: number | undefined;
  /**
   * Differences of elements of the gradient up to this number count as rounding, beside the
   * rounding error of the loss.
   *
   * @defaultValue 0
   */
  readonly rounding?: number | undefined;
}

/** One comparison: of one element, or of the slope in a random direction. */
export interface GradientSample extends Place {
  /** The derivative according to the gradient. */
  readonly analytic: number;
  /** The derivative according to differences of the loss. */
  readonly numeric: number;
  /** (|analytic − numeric| − the uncertainty by rounding) / scale, at least 0. */
  readonly error: number;
  /**
   * The largest element of the gradient or, for a direction, the norm of the gradient. Near a
   * minimum, it is at least the gradient one step away, and at least the smallest slope that a
   * difference can resolve: the rounding error of the loss, divided by the step.
   */
  readonly scale: number;
}

/** Result of a comparison. */
export interface GradientReport {
  /** Whether `maxError` is at most `tolerance`. */
  readonly passed: boolean;
  readonly maxError: number;
  readonly tolerance: number;
  /** The comparison with the largest error; undefined if there was nothing to compare. */
  readonly worst: GradientSample | undefined;
  /**
   * Places where the loss has a kink: the slopes to both sides differ, and the gradient only has to
   * lie between them.
   */
  readonly kinks: readonly GradientSample[];
  /** Number of elements that were checked one by one. */
  readonly coordinates: number;
  /** Number of directions that were checked. */
  readonly directions: number;
}

/**
 * Compares the gradients of a loss by its variables with differences of the loss.
 *
 * @param loss - computes the loss at the present values of the variables
 * @param temperature - the smallest temperature of the call
 */
export function compareGradients(
  loss: () => number,
  variables: readonly Variable[],
  temperature: number,
  normalizer: number,
  options: DifferenceOptions,
): GradientReport {
  const operation = 'checkGradient';
  const { step = 1e-4, tolerance = 1e-6, maxCoordinates = 256 } = options;
  const { directions = 16, seed = 0, rounding = 0 } = options;
  const stepRange = (value: number) => value >= 1e-8 && value <= 0.1;
  checkNumber(operation, 'step', step, 'be in [1e-8, 0.1]', stepRange);
  checkNumber(operation, 'seed', seed, 'be an integer', Number.isSafeInteger);
  checkNonNegative(operation, 'rounding', rounding);
  checkPositive(operation, 'tolerance', tolerance);
  checkInteger(operation, 'maxCoordinates', maxCoordinates, 1);
  checkInteger(operation, 'directions', directions, 0);
  const random = uniform(seed);
  const unit = step * Math.min(1, temperature);
  const total = variables.reduce((sum, { value }) => sum + value.data.length, 0);
  const all = total <= maxCoordinates;
  const here = loss();
  const kinks: GradientSample[] = [];
  const samples: GradientSample[] = [];
  const counts = { coordinates: 0, directions: 0 };
  for (const variable of variables) {
    const { length } = variable.value.data;
    const share = all ? length : Math.ceil((maxCoordinates * length) / total);
    const indices = all ? new Set(variable.value.data.keys()) : sample(length, share, random);
    const elements = [...indices].map((index) => alongElement(loss, variable, index, unit));
    const lines = Array.from({ length: all ? 0 : directions }, (_, direction) =>
      alongDirection(loss, variable, direction, unit, random),
    );
    const noise = noiseOf(elements, lines, here, normalizer);
    counts.coordinates += elements.length;
    counts.directions += lines.length;
    for (const [probes, size] of [
      [elements, largest(variable.gradient.data)],
      [lines, norm(variable.gradient.data, 0, length)],
    ] as const) {
      const scale = scaleOf(probes, here, size, noise);
      for (const { place, ...line } of probes) {
        const { numeric, difference, kink } = compareSlope(line, here, {
          noise,
          rounding,
          scale,
          tolerance,
        });
        const error = Number.isFinite(line.analytic) ? difference / scale : Infinity;
        const result = { ...place, analytic: line.analytic, numeric, error, scale };
        samples.push(result);
        if (kink) kinks.push(result);
      }
    }
  }
  const worst = samples.reduce<GradientSample | undefined>(
    (worst, result) => (worst !== undefined && worst.error >= result.error ? worst : result),
    undefined,
  );
  const maxError = worst?.error ?? 0;
  return { passed: maxError <= tolerance, maxError, tolerance, worst, kinks, ...counts };
}

function sample(length: number, count: number, random: () => number): Set<number> {
  const chosen = new Set<number>();
  while (chosen.size < Math.min(count, length)) chosen.add(Math.floor(random() * length));
  return chosen;
}
