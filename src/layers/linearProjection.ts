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
  /** Whether a learnable row is added to the product; false. */
  readonly bias?: boolean;
  /** An integer; the same seed gives the same weights everywhere; 0. */
  readonly seed?: number;
  /** Number format, that of the student's features; float32. */
  readonly numeric?: NumericTrait<T>;
  /** Stands before the names of the parameters, to tell those of several projections apart: `'teacher weight'`. */
  readonly name?: string;
}

/**
 * A learnable linear map from the student's width to the teacher's: x · weight + bias. Rows that are feature maps, laid
 * out [channels][positions], have it applied to the channels at each position: it is a 1×1 convolution.
 *
 * `weight` has shape [inputColumns, outputColumns] and starts uniform in ±1/√inputColumns, `bias` [1, outputColumns] at 0.
 * Give it to a {@link FeatureDistillationStrategy}, or another strategy of features; after each of its gradient calls
 * {@link parameters} hold d loss / d weight and d loss / d bias, weighted as the hybrid around it weights the loss. Step them with any
 * optimiser by writing to `value`; they are needed while training only.
 *
 * Romero et al. (2015), "FitNets", §2.2, arXiv:1412.6550 (the regressor), for token features as in TinyBERT.
 *
 * @example
 * import { FeatureDistillationStrategy, LinearProjection, Matrix } from 'knowledge-distillation';
 *
 * const projection = new LinearProjection(2, 3, { seed: 7 });
 * const strategy = new FeatureDistillationStrategy({ projection });
 * strategy.computeGradient(Matrix.fromRows([[1, 2]]), Matrix.fromRows([[1, 0, 1]]));
 * for (const { value, gradient } of projection.parameters()) {
 *   for (let i = 0; i < value.data.length; i++) value.data[i]! -= 0.1 * gradient.data[i]!;
 * }
 */
export class LinearProjection<T extends FloatArray = Float32Array> {
  readonly inputColumns: number;
  readonly outputColumns: number;
  readonly #weight: Parameter<T>;
  readonly #bias: Parameter<T> | undefined;

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

  /** `weight`, and `bias` where there is one. */
  parameters(): readonly Parameter<T>[] {
    return this.#bias ? [this.#weight, this.#bias] : [this.#weight];
  }

  /** @internal Throws unless the projection leads from the student's features to the teacher's. */
  check(operation: string, student: Matrix<T>, teacher: Matrix<T>): void {
    const hint = `give it { numeric: ${student.numeric.dtype} }`;
    checkDtype(operation, 'projection', this.#weight.value, student, hint);
    const positions = this.positionsOf(student);
    const times = positions === 1 ? '' : ` × ${positions} positions`;
    const inputs = this.inputColumns * positions;
    const outputs = this.outputColumns * positions;
    const { rows } = student;
    checkShape(operation, 'student', student, rows, inputs, `the projection's input${times}`);
    checkShape(operation, 'teacher', teacher, rows, outputs, `the projection's output${times}`);
  }

  /** @internal How many positions there are in a row of features, each of which is projected. */
  positionsOf({ columns }: Matrix<T>): number {
    return Math.max(1, Math.floor(columns / this.inputColumns));
  }

  /** @internal result = bias + x · weight for so many rows of features. */
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
   * @internal Adds the gradient of so many projected rows to the sums of the parameters, and writes what it makes of
   * the features to `inputDerivative`.
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
    const own = grid(derivative, rows, outputColumns);
    inputDerivative.fill(0);
    addProduct(inputDerivative, own, transpose(weight));
    const scaled = derivative.map((value) => scale * value);
    const scaledOwn = grid(scaled, rows, outputColumns);
    addProduct(this.#weight.sum, transpose(features), scaledOwn);
    if (!this.#bias) return;
    for (let row = 0; row < rows; row++) {
      const offset = row * outputColumns;
      for (let k = 0; k < outputColumns; k++) this.#bias.sum[k]! += scaled[offset + k]!;
    }
  }

  /** @internal Throws where a parameter is not finite: training may have diverged. */
  explain(operation: string): void {
    for (const { name, value } of this.parameters()) {
      checkMatrixFinite(operation, `the projection's ${name}`, value);
    }
  }
}

export function checkProjection<T extends FloatArray>(
  operation: string,
  argument: string,
  projection: LinearProjection<T>,
): void {
  if (typeof projection?.project === 'function') return;
  throwType(operation, argument, 'be a LinearProjection', projection);
}
