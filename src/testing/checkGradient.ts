import type { IDistillationStrategy } from '../call/options.js';
import { sharesBase } from '../call/sharesBase.js';
import {
  checkInteger,
  checkNonNegative,
  checkNumber,
  checkOptions,
  checkPositive,
  refuse,
} from '../core/errors.js';
import type { Labels } from '../core/labels.js';
import { checkMatrix, type Matrix } from '../core/matrix.js';
import { uniform } from '../core/random.js';
import { norm } from '../kernels/rows/distance.js';
import type { HybridDistillationStrategy } from '../strategies/hybrid/hybrid.js';
import type { LayerOutputs, LayerwiseOptions } from '../strategies/hybrid/layers.js';
import { largest } from './compare.js';
import {
  alongDirection,
  alongEntry,
  noiseOf,
  type Place,
  scaleOf,
  type Variable,
} from './probe.js';
import { compareSlope } from './slope.js';

/** Options of {@link checkGradient}: those of a call, and how it is checked. */
export interface CheckGradientOptions {
  readonly mask?: ArrayLike<number> | undefined;
  readonly rowWeights?: ArrayLike<number> | undefined;
  readonly temperatures?: ArrayLike<number> | undefined;
  readonly normalizer?: number | undefined;
  /**
   * Step of the differences: h = step · max(1, |x|) · min(1, least temperature); 1e-4. A value
   * moved by h has to be one that the strategy accepts: for probabilities take a step below the
   * smallest of them.
   */
  readonly step?: number | undefined;
  /**
   * Largest error allowed, relative to the scale of the gradient (see {@link GradientSample});
   * 1e-6.
   */
  readonly tolerance?: number | undefined;
  /**
   * How many entries are checked one by one: all of them, or a random sample of this size where
   * there are more; 256.
   */
  readonly maxCoordinates?: number | undefined;
  /**
   * Random directions in which all entries are moved at once, where there are more entries than
   * that; 16.
   */
  readonly directions?: number | undefined;
  /** Of the sample and the directions, an integer; 0. */
  readonly seed?: number | undefined;
  /**
   * Magnitude below which entries of the gradient count as equal, beside what rounding of the loss
   * explains; 0.
   */
  readonly rounding?: number | undefined;
}

/** One comparison: of one entry, or of the slope in a random direction. */
export interface GradientSample extends Place {
  readonly analytic: number;
  readonly numeric: number;
  /** |analytic − numeric|, less what rounding explains, relative to `scale`. */
  readonly error: number;
  /**
   * The largest entry of the gradient; of a direction, its norm. Near a minimum at least what the
   * gradient is one step away, and at least what a difference can resolve: the rounding of the
   * loss, divided by the step.
   */
  readonly scale: number;
}

/** What {@link checkGradient} found. */
export interface GradientReport {
  readonly passed: boolean;
  readonly maxError: number;
  readonly tolerance: number;
  /** The comparison with the largest error; absent where there was nothing to compare. */
  readonly worst: GradientSample | undefined;
  /**
   * Where the loss has different slopes to the two sides: the analytic one only has to lie between
   * them.
   */
  readonly kinks: readonly GradientSample[];
  readonly coordinates: number;
  readonly directions: number;
}

const OPTIONS = [
  'mask',
  'rowWeights',
  'temperatures',
  'normalizer',
  'step',
  'tolerance',
  'maxCoordinates',
  'directions',
  'seed',
  'rounding',
] as const;

/**
 * Compares the gradient of a strategy with central differences of its loss, in float64.
 *
 *     numeric = (L(x + h) − L(x − h)) / 2h
 *
 * Each entry of a small student is checked by itself; of a large one a random sample, and the
 * slopes in random directions, which see all entries at once. The gradients of learnable parameters
 * are checked as well. Where a difference disagrees it is repeated with smaller steps; if it still
 * does and the loss has a kink there, the gradient has to lie between the slopes to the two sides.
 *
 * An error is relative to the largest entry of the gradient. A difference cannot resolve less than
 * the rounding of the loss, divided by the step, which is therefore measured and taken off every
 * error: near a minimum it is what is left.
 *
 * @param strategy - any implementation of the interface
 * @param student - float64: convert a float32 matrix with `matrix.as(float64)`; it is not written
 * to
 * @param teacher - float64, of a shape that the strategy takes
 * @param labels - of the rows, if any
 * @param options - mask, weights, temperatures and normalizer of the call; step, tolerance and
 * sample of the check
 * @returns a report; {@link assertGradient} throws instead
 * @throws {DistillationError} DTYPE_MISMATCH where the student is not float64; for an option that
 * is out of its range; and what the strategy throws
 * @example
 * import { float64, Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { checkGradient } from 'knowledge-distillation/testing';
 *
 * const student = Matrix.fromRows([[0.1, 1.2, -0.3]], float64);
 * const teacher = Matrix.fromRows([[0.5, 2.0, -1.0]], float64);
 * const report = checkGradient(new ResponseDistillationStrategy<Float64Array>(), student, teacher);
 * console.log(report.passed, report.coordinates, report.worst?.scale.toFixed(3)); // true 3 0.232
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
  const { mask, rowWeights, temperatures, normalizer } = options;
  const evaluation = { mask, rowWeights, temperatures, normalizer };
  const value = student.clone();
  const gradient = strategy.computeGradient(value, teacher, labels, evaluation);
  const variables = [{ of: 'student', value, gradient }, ...learnable(strategy)];
  const loss = () => strategy.computeLoss(value, teacher, labels, evaluation);
  const { temperature } = strategy;
  const least = Math.min(temperature, ...Array.from(temperatures ?? [temperature]));
  return compare(loss, variables, least, normalizer ?? 1, options);
}

/**
 * {@link checkGradient} for `computeLayerwise`: every student layer is checked, and every learnable
 * parameter.
 *
 * @throws {DistillationError} DTYPE_MISMATCH where a student layer is not float64; whatever the
 * strategies throw
 */
export function checkLayerwiseGradient(
  hybrid: HybridDistillationStrategy<Float64Array>,
  studentLayers: LayerOutputs<Float64Array>,
  teacherLayers: LayerOutputs<Float64Array>,
  labels?: Labels<Float64Array>,
  options: Omit<CheckGradientOptions, 'mask' | 'rowWeights' | 'temperatures' | 'normalizer'> &
    Pick<LayerwiseOptions, 'mask' | 'rowWeights' | 'temperatures' | 'normalizer'> = {},
): GradientReport {
  checkOptions('checkLayerwiseGradient', 'options', options, OPTIONS);
  const { mask, rowWeights, temperatures, normalizer, ...rest } = options;
  const evaluation = { mask, rowWeights, temperatures, normalizer };
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

/**
 * Throws where {@link checkGradient} does not pass, with the worst entry, its error and the scale
 * that the error is relative to in the message. Same arguments.
 *
 * @throws {Error} if the gradient is not the derivative of the loss; {@link checkGradient} has the
 * others
 */
export function assertGradient(
  strategy: IDistillationStrategy<Float64Array>,
  student: Matrix<Float64Array>,
  teacher: Matrix<Float64Array>,
  labels?: Labels<Float64Array>,
  options: CheckGradientOptions = {},
): void {
  const { passed, worst, tolerance } = checkGradient(strategy, student, teacher, labels, options);
  if (passed || worst === undefined) return;
  const { of, row, column, direction, analytic, numeric, error, scale } = worst;
  const place = row === undefined ? `direction ${direction}` : `row ${row}, column ${column}`;
  throw new Error(
    `assertGradient: the gradient is not the derivative of the loss: ${of} ${place} is ${analytic}, ` +
      `differences give ${numeric} (error ${error} relative to the scale ${scale}, tolerance ${tolerance})`,
  );
}

function checkFloat64(operation: string, argument: string, matrix: Matrix<Float64Array>): void {
  checkMatrix(operation, argument, matrix);
  const { dtype } = matrix.numeric;
  if (dtype === 'float64') return;
  const hint = 'convert it with matrix.as(float64)';
  refuse('DTYPE_MISMATCH', operation, argument, 'be float64', dtype, { hint });
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

function compare(
  loss: () => number,
  variables: readonly Variable[],
  temperature: number,
  normalizer: number,
  options: Omit<CheckGradientOptions, 'mask' | 'rowWeights' | 'temperatures' | 'normalizer'>,
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
    const entries = [...indices].map((index) => alongEntry(loss, variable, index, unit));
    const lines = Array.from({ length: all ? 0 : directions }, (_, direction) =>
      alongDirection(loss, variable, direction, unit, random),
    );
    const noise = noiseOf(entries, lines, here, normalizer);
    counts.coordinates += entries.length;
    counts.directions += lines.length;
    for (const [probes, size] of [
      [entries, largest(variable.gradient.data)],
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
    (most, result) => (most !== undefined && most.error >= result.error ? most : result),
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
