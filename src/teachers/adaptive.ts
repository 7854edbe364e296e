import { checkRow } from '../core/checks.js';
import {
  checkChoice,
  checkOptions,
  checkPositive,
  refuse,
  throwShape,
  throwType,
} from '../core/errors.js';
import { checkMatrix, type Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { forwardDivergence } from '../kernels/rows/divergences.js';
import { largest, softmax } from '../kernels/rows/softmax.js';

/** Options of {@link adaptiveTemperatures}. */
export interface AdaptiveTemperaturesOptions {
  /** Measure of the certainty of a row: its largest probability, or its entropy. */
  readonly by: 'confidence' | 'entropy';
  /** Temperatures at certainty 0 and at certainty 1; each finite and > 0. */
  readonly range: readonly [unsure: number, sure: number];
}

/**
 * Computes a temperature for each row from the certainty of its logits, for the call option
 * `temperatures`.
 *
 * ```math
 * τ = τ_unsure + (τ_sure − τ_unsure) · c
 * p = softmax(z)
 * c = (max(p) − 1/n) / (1 − 1/n) if by = 'confidence'
 * c = 1 + (Σ_j p_j · log(p_j)) / log(n) if by = 'entropy'
 * ```
 *
 * z are the logits of a row and n is the number of classes. The certainty c is 0 if all classes
 * have the same probability, and 1 if one class has probability 1. The confidence depends on the
 * most probable class only, the entropy on all classes.
 *
 * A certain teacher gives the other classes almost no probability: a high temperature makes their
 * differences visible to the student. An uncertain teacher needs no high temperature.
 *
 * @param outputs - logits of the teacher (or of the student), shape [rows, classes], at least 2
 *   classes. −Infinity rules a class out; n counts this class, too
 * @param options - `by`, and the `range`: `[1, 4]` softens certain rows, `[4, 1]` uncertain rows
 * @returns one temperature for each row, between both ends of the range. The gradient of a loss
 *   treats them as constants
 * @throws {DistillationError} `SHAPE_MISMATCH` for a single class, `NOT_FINITE` for NaN and
 *   +Infinity, `RULED_OUT` for a row of only −Infinity, `OUT_OF_RANGE` for an option,
 *   `UNKNOWN_OPTION`
 * @throws {TypeError} if `outputs` is not a matrix or `range` is not a pair
 *
 * @remarks Cost: one exponential for each logit, in JavaScript.
 *
 * `EntropyBasedAdaptiveStrategy` of AiDotNet (C#) computes the same temperatures, from the
 * student's logits. Its `ConfidenceBasedAdaptiveStrategy` corresponds to a descending range, and
 * does not normalize: there, c = max(p).
 *
 * @example
 * ```ts
 * import { adaptiveTemperatures, Matrix } from 'knowledge-distillation';
 *
 * const teacher = Matrix.fromRows([[0, 0, 0], [Math.log(4), 0, 0], [1000, 0, 0]]);
 * const temperatures = adaptiveTemperatures(teacher, { by: 'confidence', range: [1, 5] });
 * console.log(temperatures.map(Math.round)); // Float64Array(3) [ 1, 3, 5 ]
 * ```
 */
export function adaptiveTemperatures<T extends FloatArray>(
  outputs: Matrix<T>,
  options: AdaptiveTemperaturesOptions,
): Float64Array {
  const operation = 'adaptiveTemperatures';
  checkMatrix(operation, 'outputs', outputs);
  checkOptions(operation, 'options', options, ['by', 'range']);
  const by = checkChoice(operation, 'by', options.by, ['confidence', 'entropy']);
  const [unsure, sure] = checkRange(operation, options.range);
  const { data, rows, columns } = outputs;
  if (columns < 2)
    throwShape(operation, 'outputs', [rows, columns], [rows, 2], 'at least 2 classes');

  const log = new Float64Array(columns);
  const probability = new Float64Array(columns);
  const certaintyOf = by === 'confidence' ? confidence : negentropy(columns);
  const temperatures = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    softmax(data, row * columns, columns, log, probability);
    const certainty = certaintyOf(probability, log);
    if (!Number.isFinite(certainty)) explain(operation, outputs, row);
    // Rounding can move the certainty outside [0, 1].
    temperatures[row] = unsure + (sure - unsure) * Math.min(Math.max(certainty, 0), 1);
  }
  return temperatures;
}

function confidence(p: Float64Array): number {
  const { length: n } = p;
  return (n * largest(p, 0, n) - 1) / (n - 1);
}

/**
 * 1 − H(p) / log n, computed as KL(p ‖ uniform) / log n: near 0, the difference would lose
 * precision to cancellation.
 */
function negentropy(n: number): (p: Float64Array, logP: Float64Array) => number {
  const q = new Float64Array(n).fill(1 / n);
  const logQ = new Float64Array(n).fill(-Math.log(n));
  const slope = new Float64Array(n); // scratch: the derivative is not used
  return (p, logP) => forwardDivergence({ logP, p, logQ, q, slope }) / Math.log(n);
}

function checkRange(
  operation: string,
  range: readonly [unsure: number, sure: number],
): readonly [number, number] {
  if (!Array.isArray(range) || range.length !== 2) {
    throwType(operation, 'range', 'be a pair of temperatures [unsure, sure]', range);
  }
  const [unsure, sure] = range;
  return [checkPositive(operation, 'range[0]', unsure), checkPositive(operation, 'range[1]', sure)];
}

/** Throws for a row whose softmax is NaN, and names the reason. */
function explain(operation: string, outputs: Matrix<FloatArray>, row: number): never {
  checkRow(operation, 'outputs', outputs, row, -Infinity);
  const expected = 'be above -Infinity in some column';
  refuse('RULED_OUT', operation, 'outputs', expected, '-Infinity', { row });
}
