import { checkMatrixFinite } from '../call/diagnosis.js';
import { Parameter } from '../call/parameter.js';
import { allocate } from '../core/allocate.js';
import { checkDtype, checkShape } from '../core/checks.js';
import { readNumeric } from '../core/convert.js';
import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkOptions,
  throwType,
} from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray, NumericTrait } from '../core/numeric.js';
import { uniform } from '../core/random.js';
import { grid, transpose } from '../kernels/products/grid.js';
import { addProduct } from '../kernels/products/product.js';

/** Options of a {@link LinearProjection}. */
export interface LinearProjectionOptions<T extends FloatArray = Float32Array> {
  /**
   * Whether a learnable bias is added to the product.
   *
   * @defaultValue false
   */
  readonly bias?: boolean | undefined;
  /**
   * Seed of the initial weights, an integer. The same seed gives the same weights on every machine.
   *
   * @defaultValue 0
   */
  readonly seed?: number | undefined;
  /**
   * Number format of the parameters; it must be the format of the student's features.
   *
   * @defaultValue float32
   */
  readonly numeric?: NumericTrait<T> | undefined;
  /**
   * Prefix of the names of the parameters, to tell several projections apart: `'teacher'` gives
   * `'teacher weight'`.
   */
  readonly name?: string | undefined;
}

/**
 * Maps the student's features to the teacher's width by a learnable linear map.
 *
 * ```math
 * y = x W + b
 * ```
 *
 * x is a row of features. W is the parameter `weight` of shape [inputColumns, outputColumns]; it
 * starts uniform in ±1/√inputColumns. b is the parameter `bias` of shape [1, outputColumns], if
 * there is one; it starts at 0. In rows that are feature maps, laid out [channels][positions], the
 * map is applied to the channels at each position: it is a 1×1 convolution.
 *
 * Pass the projection to a {@link FeatureDistillationStrategy} or to another strategy with the
 * option `projection`. After each gradient call of the strategy, {@link parameters} hold d loss / d
 * weight and d loss / d bias; in a hybrid they are multiplied by the weight of the strategy. Step
 * the parameters with any optimiser by writing to `value`. The projection is needed only during
 * training.
 *
 * @see [Romero et al. 2015](https://arxiv.org/abs/1412.6550), §2.2. "FitNets": the regressor;
 *   applied to token features as in TinyBERT.
 *
 * @example
 * ```ts
 * import { FeatureDistillationStrategy, LinearProjection, Matrix } from 'knowledge-distillation';
 *
 * const projection = new LinearProjection(2, 3, { seed: 7 });
 * const strategy = new FeatureDistillationStrategy({ projection });
 * const [student, teacher] = [Matrix.fromRows([[1, 2]]), Matrix.fromRows([[1, 0, 1]])];
 * console.log(strategy.computeLossAndGradient(student, teacher).loss.toFixed(4)); // 0.3022
 * for (const { value, gradient } of projection.parameters()) {
 *   for (let i = 0; i < value.data.length; i++) value.data[i]! -= 0.1 * gradient.data[i]!;
 * }
 * console.log(strategy.computeLoss(student, teacher).toFixed(4)); // 0.1343
 * ```
 */
export class LinearProjection<T extends FloatArray = Float32Array> {
  readonly inputColumns: number;
  readonly outputColumns: number;
  readonly #weight: Parameter<T>;
  readonly #bias: Parameter<T> | undefined;

  /**
   * @param inputColumns - width of the student's features, or its channels, ≥ 1
   * @param outputColumns - width of the teacher's features, or its channels, ≥ 1
   * @param options - bias, seed, number format and name
   * @throws {DistillationError} `OUT_OF_RANGE` for a number, `UNKNOWN_OPTION`
   */
  constructor(
    inputColumns: number,
    outputColumns: number,
    options: LinearProjectionOptions<T> = {},
  ) {
    const operation = 'LinearProjection';
    this.inputColumns = checkInteger(operation, 'inputColumns', inputColumns, 1);
    this.outputColumns = checkInteger(operation, 'outputColumns', outputColumns, 1);
    checkOptions(operation, 'options', options, ['bias', 'seed', 'numeric', 'name']);
    const { bias = false, seed = 0, name } = options;
    if (name !== undefined && typeof name !== 'string') {
      throwType(operation, 'name', 'be a string', name);
    }
    const prefix = name === undefined ? '' : `${name} `;
    checkNumber(operation, 'seed', seed, 'be an integer', Number.isSafeInteger);
    const numeric = readNumeric(operation, options.numeric);
    const random = uniform(seed);
    const bound = 1 / Math.sqrt(inputColumns);
    this.#weight = allocate(
      operation,
      { inputColumns, outputColumns },
      () => new Parameter(`${prefix}weight`, inputColumns, outputColumns, numeric),
    );
    const { data } = this.#weight.value;
    for (let i = 0; i < data.length; i++) data[i] = bound * (2 * random() - 1);
    if (checkBoolean(operation, 'bias', bias)) {
      this.#bias = new Parameter(`${prefix}bias`, 1, outputColumns, numeric);
    }
  }

  /** Returns `weight` and, if there is one, `bias`. */
  parameters(): readonly Parameter<T>[] {
    return this.#bias ? [this.#weight, this.#bias] : [this.#weight];
  }

  /** @internal Throws unless the projection maps the student's features to the teacher's width. */
  check(operation: string, student: Matrix<T>, teacher: Matrix<T>): void {
    const hint = `give it { numeric: ${student.numeric.dtype} }`;
    checkDtype(operation, 'projection', this.#weight.value, student, hint);
    const positions = this.positionsOf(student);
    const times = positions === 1 ? '' : ` × ${positions} positions`;
    const inputs = this.inputColumns * positions;
    const outputs = this.outputColumns * positions;
    const { rows, columns } = student;
    const right =
      teacher.rows === rows
        ? `use new LinearProjection(${columns}, ${teacher.columns})`
        : undefined;
    const [input, output] = ["the projection's input", "the projection's output"];
    checkShape(operation, 'student', student, [rows, inputs], `${input}${times}`, right);
    checkShape(operation, 'teacher', teacher, [rows, outputs], `${output}${times}`, right);
  }

  /** @internal Returns the number of positions in a row of features; each position is projected. */
  positionsOf({ columns }: Matrix<T>): number {
    return Math.max(1, Math.floor(columns / this.inputColumns));
  }

  /** @internal Writes bias + x · weight to `result`, for the given number of rows of features. */
  project(x: FloatArray, rows: number, result: Float64Array): void {
    const { inputColumns, outputColumns } = this;
    const bias = this.#bias?.value.data;
    for (let row = 0; row < rows; row++) {
      if (bias) result.set(bias, row * outputColumns);
      else result.fill(0, row * outputColumns, (row + 1) * outputColumns);
    }
    const { data } = this.#weight.value;
    const weight = grid(data, inputColumns, outputColumns);
    addProduct(result, grid(x, rows, inputColumns), weight);
  }

  /**
   * @internal Adds the gradient of the projected rows to the sums of the parameters, and writes
   *   d(sum)/d(x) to `inputDerivative`. The sum is that of the losses of the rows.
   *
   * @param derivative - d(sum)/d(projected)
   * @param scale - d(loss)/d(sum), for the parameters
   */
  addGradient(
    x: FloatArray,
    rows: number,
    derivative: Float64Array,
    scale: number,
    inputDerivative: Float64Array,
  ): void {
    const { inputColumns, outputColumns } = this;
    const features = grid(x, rows, inputColumns);
    const { data } = this.#weight.value;
    const weight = grid(data, inputColumns, outputColumns);
    const byProjected = grid(derivative, rows, outputColumns);
    inputDerivative.fill(0);
    addProduct(inputDerivative, byProjected, transpose(weight));
    const scaled = derivative.map((value) => scale * value);
    const scaledByProjected = grid(scaled, rows, outputColumns);
    addProduct(this.#weight.sum, transpose(features), scaledByProjected);
    if (!this.#bias) return;
    for (let row = 0; row < rows; row++) {
      const offset = row * outputColumns;
      for (let k = 0; k < outputColumns; k++) this.#bias.sum[k]! += scaled[offset + k]!;
    }
  }

  /** @internal Throws if a parameter is not finite: training may have diverged. */
  explain(operation: string): void {
    for (const { name, value } of this.parameters()) {
      checkMatrixFinite(operation, `the projection's ${name}`, value);
    }
  }
}

/** Throws unless an option is a projection, by structure. */
export function checkProjection<T extends FloatArray>(
  operation: string,
  argument: string,
  projection: LinearProjection<T>,
): void {
  if (typeof projection?.project === 'function') return;
  throwType(operation, argument, 'be a LinearProjection', projection);
}
