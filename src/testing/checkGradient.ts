import { checkMatrix } from '../batch.js';
import { checkInteger, checkNumber, checkOptions, checkPositive, refuse } from '../errors.js';
import { norm } from '../kernels/distance.js';
import { uniform } from '../kernels/random.js';
import type { Labels } from '../labels.js';
import type { Matrix } from '../matrix.js';
import type { LayerOutputs, LayerwiseOptions } from '../strategies/hybrid/layers.js';
import type { HybridDistillationStrategy } from '../strategies/hybrid.js';
import { type IDistillationStrategy, sharesBase } from '../strategy.js';
import { largest } from './compare.js';
import { compareSlope, type Line, slopes } from './slope.js';

export interface CheckGradientOptions {
  readonly mask?: ArrayLike<number>;
  readonly normalizer?: number;
  /** Step of the differences: h = step · max(1, |x|) · min(1, temperature); 1e-4. */
  readonly step?: number;
  /** Largest error allowed, relative to the largest entry of the gradient (taken as 1e-9 at least); 1e-6. */
  readonly tolerance?: number;
  /** Up to so many entries each is checked by itself; of more, a random sample of so many; 256. */
  readonly maxCoordinates?: number;
  /** Random directions in which all entries are moved at once, where there are more entries than that; 16. */
  readonly directions?: number;
  /** Of the sample and the directions, an integer; 0. */
  readonly seed?: number;
}

/** One comparison: of one entry, or of the slope in a random direction. */
export interface GradientSample {
  /** `student`, the name of a layer, or the name of a learnable parameter. */
  readonly of: string;
  /** The entry, where it is one. */
  readonly row?: number;
  readonly column?: number;
  /** The direction, where it is one. */
  readonly direction?: number;
  readonly analytic: number;
  readonly numeric: number;
  /** |analytic − numeric| relative to the largest entry (of a direction: to the norm of the gradient). */
  readonly error: number;
}

export interface GradientReport {
  readonly passed: boolean;
  readonly maxError: number;
  readonly tolerance: number;
  /** The comparison with the largest error; absent where there was nothing to compare. */
  readonly worst: GradientSample | undefined;
  /** Where the loss has different slopes to the two sides: the analytic one only has to lie between them. */
  readonly kinks: readonly GradientSample[];
  readonly coordinates: number;
  readonly directions: number;
}

/** What the loss is differentiated by, and the derivative that is claimed. */
interface Variable {
  readonly of: string;
  readonly value: Matrix<Float64Array>;
  readonly gradient: Matrix<Float64Array>;
}

const OPTIONS = [
  'mask',
  'normalizer',
  'step',
  'tolerance',
  'maxCoordinates',
  'directions',
  'seed',
] as const;

/** Entries below this are rounding in the gradient itself, whose terms cancel: an error of 1e-15 is none. */
const SMALLEST_SCALE = 1e-9;

/** A distance, for an entry of 1, that shows the rounding of a loss and hardly its slope; and how often to look. */
const A_FEW_ULPS = 1e-14;
const NOISE_PROBES = 32;

/**
 * Compares the gradient of a strategy with central differences of its loss, in float64.
 *
 *     numeric = (L(x + h) − L(x − h)) / 2h
 *
 * Each entry of a small student is checked by itself; of a large one a random sample, and the slopes in random
 * directions, which see all entries at once. The gradients of learnable parameters are checked as well.
 * Where a difference disagrees it is repeated with smaller steps; if it still does and the loss has a kink there,
 * the gradient has to lie between the slopes to the two sides.
 *
 * @param strategy - any implementation of the interface
 * @param student - float64: convert a float32 matrix with `matrix.as(float64)`; it is not written to
 * @returns a report; {@link assertGradient} throws instead
 * @throws {DistillationError} DTYPE_MISMATCH where the student is not float64; whatever the strategy throws
 * @example
 * import { float64, Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { checkGradient } from 'knowledge-distillation/testing';
 *
 * const student = Matrix.fromRows([[0.1, 1.2, -0.3]], float64);
 * const teacher = Matrix.fromRows([[0.5, 2.0, -1.0]], float64);
 * const report = checkGradient(new ResponseDistillationStrategy<Float64Array>(), student, teacher);
 * console.log(report.passed, report.maxError);
 */
export function checkGradient(
  strategy: IDistillationStrategy<Float64Array>,
  student: Matrix<Float64Array>,
  teacher: Matrix<Float64Array>,
  labels?: Labels<Float64Array>,
  options: CheckGradientOptions = {},
): GradientReport {
  checkOptions('checkGradient', 'options', options, OPTIONS);
  checkFloat64('checkGradient', 'student', student);
  const { mask, normalizer } = options;
  const evaluation = { ...(mask && { mask }), ...(normalizer !== undefined && { normalizer }) };
  const value = student.clone();
  const gradient = strategy.computeGradient(value, teacher, labels, evaluation);
  const variables = [{ of: 'student', value, gradient }, ...learnable(strategy)];
  const loss = () => strategy.computeLoss(value, teacher, labels, evaluation);
  return compare(loss, variables, strategy.temperature, normalizer ?? 1, options);
}

/**
 * {@link checkGradient} for `computeLayerwise`: every student layer is checked, and every learnable parameter.
 *
 * @throws {DistillationError} DTYPE_MISMATCH where a student layer is not float64; whatever the strategies throw
 */
export function checkLayerwiseGradient(
  hybrid: HybridDistillationStrategy<Float64Array>,
  studentLayers: LayerOutputs<Float64Array>,
  teacherLayers: LayerOutputs<Float64Array>,
  labels?: Labels<Float64Array>,
  options: Omit<CheckGradientOptions, 'mask' | 'normalizer'> &
    Pick<LayerwiseOptions, 'mask' | 'normalizer'> = {},
): GradientReport {
  checkOptions('checkLayerwiseGradient', 'options', options, OPTIONS);
  const { mask, normalizer, ...rest } = options;
  const evaluation = { ...(mask && { mask }), ...(normalizer !== undefined && { normalizer }) };
  const layers = Object.fromEntries(
    Object.entries(studentLayers).map(([name, layer]) => {
      checkFloat64('checkLayerwiseGradient', name, layer);
      return [name, layer.clone()];
    }),
  );
  const call = () => hybrid.computeLayerwise(layers, teacherLayers, labels, evaluation);
  const { gradients } = call();
  const outputs = Object.entries(gradients).map(([of, gradient]) => ({
    of,
    value: layers[of]!,
    gradient,
  }));
  const variables = [...outputs, ...learnable(hybrid)];
  return compare(() => call().loss, variables, hybrid.temperature, 1, rest);
}

/** Throws, with the worst entry in the message, where {@link checkGradient} does not pass. Same arguments. */
export function assertGradient(
  strategy: IDistillationStrategy<Float64Array>,
  student: Matrix<Float64Array>,
  teacher: Matrix<Float64Array>,
  labels?: Labels<Float64Array>,
  options: CheckGradientOptions = {},
): void {
  const { passed, worst, tolerance } = checkGradient(strategy, student, teacher, labels, options);
  if (passed || worst === undefined) return;
  const { of, row, column, direction, analytic, numeric, error } = worst;
  const place = row === undefined ? `direction ${direction}` : `row ${row}, column ${column}`;
  throw new Error(
    `assertGradient: the gradient is not the derivative of the loss: ${of} ${place} is ${analytic}, ` +
      `differences give ${numeric} (error ${error}, tolerance ${tolerance})`,
  );
}

function checkFloat64(operation: string, argument: string, matrix: Matrix<Float64Array>): void {
  checkMatrix(operation, argument, matrix);
  const { dtype } = matrix.numeric;
  if (dtype === 'float64') return;
  const hint = 'convert it with matrix.as(float64)';
  refuse('DTYPE_MISMATCH', operation, argument, 'be float64', dtype, undefined, hint);
}

/** The parameters with the gradients that the last call left in them. */
function learnable(strategy: IDistillationStrategy<Float64Array>): Variable[] {
  if (!sharesBase(strategy)) return [];
  return strategy.parameters().map(({ name, value, gradient }) => ({
    of: name,
    value,
    gradient: gradient.clone(),
  }));
}

/** A loss along one line, with the slope that is claimed for its start. */
interface Probe extends Line {
  readonly place: Pick<GradientSample, 'of' | 'row' | 'column' | 'direction'>;
}

function compare(
  loss: () => number,
  variables: readonly Variable[],
  temperature: number,
  normalizer: number,
  options: Omit<CheckGradientOptions, 'mask' | 'normalizer'>,
): GradientReport {
  const operation = 'checkGradient';
  const { step = 1e-4, tolerance = 1e-6, maxCoordinates = 256 } = options;
  const { directions = 16, seed = 0 } = options;
  const stepRange = (value: number) => value >= 1e-8 && value <= 0.1;
  checkNumber(operation, 'step', step, 'be in [1e-8, 0.1]', stepRange);
  checkNumber(operation, 'seed', seed, 'be an integer', Number.isSafeInteger);
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
    const entries = [...indices].map((index) => alongEntry(loss, variable, index, unit));
    const lines = Array.from({ length: all ? 0 : directions }, (_, direction) =>
      alongDirection(loss, variable, direction, unit, random),
    );
    counts.coordinates += entries.length;
    counts.directions += lines.length;
    for (const [probes, size] of [
      [entries, largest(variable.gradient.data)],
      [lines, norm(variable.gradient.data, 0, length)],
    ] as const) {
      const scale = scaleOf(probes, here, size);
      const noise = noiseOf(probes, here, step, normalizer);
      for (const { place, ...line } of probes) {
        const { numeric, difference, kink } = compareSlope(line, here, noise, scale, tolerance);
        const error = Number.isFinite(line.analytic) ? difference / scale : Infinity;
        const result = { ...place, analytic: line.analytic, numeric, error };
        samples.push(result);
        if (kink) kinks.push(result);
      }
    }
  }
  const worst = samples.reduce<GradientSample | undefined>(
    (most, result) => (most !== undefined && most.error >= result.error ? most : result),
    undefined,
  );
  const maxError = worst?.error ?? 0;
  return { passed: maxError <= tolerance, maxError, tolerance, worst, kinks, ...counts };
}

/**
 * What errors are relative to: the largest entry of the gradient. Where it is all but 0, at a minimum, what it is one
 * step away, so that the curvature of a loss is not measured against nothing.
 */
function scaleOf(probes: readonly Probe[], here: number, size: number): number {
  const gaps = probes.map((probe) => slopes(probe, here, probe.h).gap).filter((gap) => gap > 0);
  const median = gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
  return Math.max(Number.isFinite(size) ? size : 0, median, SMALLEST_SCALE);
}

/**
 * How far rounding moves the loss: what a tiny move shows, to the side where it shows less (the other may be
 * beyond a jump), and no less than the rounding of numbers of the size of 1 on the way to the loss.
 */
function noiseOf(probes: readonly Probe[], here: number, step: number, normalizer: number): number {
  return probes.slice(0, NOISE_PROBES).reduce(
    (most, { at, h }) => {
      const tiny = (h / step) * A_FEW_ULPS;
      return Math.max(most, Math.min(Math.abs(at(tiny) - here), Math.abs(at(-tiny) - here)));
    },
    Number.EPSILON * Math.max(1 / normalizer, Math.abs(here)),
  );
}

/** The loss as one entry moves. */
function alongEntry(
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
function alongDirection(
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

function sample(length: number, count: number, random: () => number): Set<number> {
  const chosen = new Set<number>();
  while (chosen.size < Math.min(count, length)) chosen.add(Math.floor(random() * length));
  return chosen;
}
