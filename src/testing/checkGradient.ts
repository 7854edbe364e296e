import type { IDistillationStrategy } from '../call/options.js';
import { sharesBase } from '../call/sharesBase.js';
import { checkOptions, refuse } from '../core/errors.js';
import type { Labels } from '../core/labels.js';
import { checkMatrix, type Matrix } from '../core/matrix.js';
import type { HybridDistillationStrategy } from '../strategies/hybrid/hybrid.js';
import type { LayerOutputs, LayerwiseOptions } from '../strategies/hybrid/layers.js';
import {
  compareGradients,
  type DifferenceOptions,
  type GradientReport,
} from './compareGradients.js';
import type { Variable } from './probe.js';

/** Options of {@link checkGradient}: options of a call, and of the comparison. */
export interface CheckGradientOptions extends DifferenceOptions {
  /** One number for each row: 0 excludes the row. */
  readonly mask?: ArrayLike<number> | undefined;
  /** The weight of the loss of each row. */
  readonly rowWeights?: ArrayLike<number> | undefined;
  /** The temperature of each row. */
  readonly temperatures?: ArrayLike<number> | undefined;
  /** The denominator of the mean over rows. */
  readonly normalizer?: number | undefined;
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
 * ```math
 * numeric = (L(x + h) − L(x − h)) / (2 h)
 * ```
 *
 * Each element of a small student is checked separately. For a large student, a random sample of
 * elements is checked, and the slopes in random directions, which depend on all elements. The
 * gradients of learnable parameters are checked, too. If a difference disagrees, it is repeated
 * with smaller steps. If it still disagrees because the loss has a kink, the gradient must lie
 * between the slopes to both sides.
 *
 * Errors are relative to the largest element of the gradient. A difference cannot resolve slopes
 * below the rounding error of the loss divided by the step. This uncertainty is measured and
 * subtracted from every error.
 *
 * @param strategy - any implementation of the interface
 * @param student - float64: convert a float32 matrix by `matrix.as(float64)`. It is not written
 * @param teacher - float64, of a shape that the strategy takes
 * @param labels - the labels of the rows, if any
 * @param options - `mask`, `rowWeights`, `temperatures` and `normalizer` of the call; `step`,
 *   `tolerance` and other options of the comparison
 * @returns a report; {@link assertGradient} throws instead
 * @throws {DistillationError} `DTYPE_MISMATCH` if the student is not float64, `OUT_OF_RANGE` for an
 *   option, and the errors of the strategy
 *
 * @example
 * ```ts
 * import { float64, Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { checkGradient } from 'knowledge-distillation/testing';
 *
 * const student = Matrix.fromRows([[0.1, 1.2, -0.3]], float64);
 * const teacher = Matrix.fromRows([[0.5, 2.0, -1.0]], float64);
 * const report = checkGradient(new ResponseDistillationStrategy<Float64Array>(), student, teacher);
 * console.log(report.passed, report.coordinates, report.worst?.scale.toFixed(3)); // true 3 0.232
 * ```
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
  return compareGradients(loss, variables, least, normalizer ?? 1, options);
}

/**
 * Compares the gradients of `computeLayerwise` with differences of its loss, for every student
 * layer and every learnable parameter. See {@link checkGradient}.
 *
 * @param hybrid - the hybrid
 * @param studentLayers - float64 outputs of the student by layer. They are not written
 * @param teacherLayers - float64 outputs of the teacher by layer
 * @param labels - the labels of the rows, if any
 * @param options - as for {@link checkGradient}; the options of the call may be given by layer
 * @returns a report
 * @throws {DistillationError} `DTYPE_MISMATCH` if a student layer is not float64, `OUT_OF_RANGE`
 * for an option, and the errors of the strategies
 */
export function checkLayerwiseGradient(
  hybrid: HybridDistillationStrategy<Float64Array>,
  studentLayers: LayerOutputs<Float64Array>,
  teacherLayers: LayerOutputs<Float64Array>,
  labels?: Labels<Float64Array>,
  options: DifferenceOptions &
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
  return compareGradients(() => call().loss, variables, hybrid.temperature, 1, rest);
}

/**
 * Throws if {@link checkGradient} does not pass. The message names the element with the largest
 * error, the error, and the scale that the error is relative to.
 *
 * @param strategy - as for {@link checkGradient}
 * @param student - as for {@link checkGradient}
 * @param teacher - as for {@link checkGradient}
 * @param labels - as for {@link checkGradient}
 * @param options - as for {@link checkGradient}
 * @throws {Error} if the gradient is not the derivative of the loss
 * @throws {DistillationError} as {@link checkGradient}
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

/** Returns the learnable parameters, with the gradients of the last call. */
function learnable(strategy: IDistillationStrategy<Float64Array>): Variable[] {
  if (!sharesBase(strategy)) return [];
  return strategy.parameters().map(({ name, value, gradient }) => ({
    of: name,
    value,
    gradient: gradient.clone(),
  }));
}
