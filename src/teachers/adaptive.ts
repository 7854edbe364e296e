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
  /** What the certainty of a row is read from: its largest probability, or its entropy. */
  readonly by: 'confidence' | 'entropy';
  /** The temperature of a row without any certainty, and that of a row with all; each > 0. */
  readonly range: readonly [unsure: number, sure: number];
}

/**
 * Gives each row a temperature by how sure its logits are, for the call option `temperatures`. A
 * sure teacher says little about the other classes, unless a high temperature softens it; an unsure
 * one needs none.
 *
 *     temperature = unsure + (sure − unsure) · c,   p = softmax(outputs), n classes
 *
 *     'confidence'  c = (max p − 1/n) / (1 − 1/n)
 *     'entropy'     c = 1 − H(p) / log n,   H(p) = −Σ p log p
 *
 * The certainty c is 0 where all classes have the same probability, and 1 where one class has all.
 * Confidence looks at the likeliest class alone, entropy at all classes.
 *
 * @param outputs - logits of the teacher (or of the student), shape [rows, classes], at least 2
 *   classes. −Infinity rules a class out, which counts among the n
 * @param options - `by`, and the `range`: `[1, 4]` softens sure rows, `[4, 1]` unsure ones
 * @returns one temperature for each row, between both ends of the range; a constant to the gradient
 * @throws {DistillationError} SHAPE_MISMATCH for a single class, NOT_FINITE for NaN and +Infinity,
 *   RULED_OUT for a row of only −Infinity, OUT_OF_RANGE for an option, UNKNOWN_OPTION
 * @throws {TypeError} for what is no matrix, and for a range that is no pair
 *
 * @remarks Cost: one exponential a logit, in JavaScript.
 *
 * `EntropyBasedAdaptiveStrategy` of AiDotNet (C#) has the same temperatures, from the student's
 * logits. Its `ConfidenceBasedAdaptiveStrategy` goes the other way, which is a range that descends,
 * and does not normalize: there, c is max p.
 *
 * @example
 * import { adaptiveTemperatures, Matrix } from 'knowledge-distillation';
 *
 * const teacher = Matrix.fromRows([[0, 0, 0], [Math.log(4), 0, 0], [1000, 0, 0]]);
 * const temperatures = adaptiveTemperatures(teacher, { by: 'confidence', range: [1, 5] });
 * console.log(temperatures); // 1, 3 and 5, since the largest probabilities are 1/3, 2/3 and 1
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
    // Rounding may take it past the ends.
    temperatures[row] = unsure + (sure - unsure) * Math.min(Math.max(certainty, 0), 1);
  }
  return temperatures;
}

function confidence(p: Float64Array): number {
  const { length: n } = p;
  return (n * largest(p, 0, n) - 1) / (n - 1);
}

/** 1 − H(p) / log n, which is KL(p ‖ uniform) / log n: that has no digits to lose near 0. */
function negentropy(n: number): (p: Float64Array, logP: Float64Array) => number {
  const q = new Float64Array(n).fill(1 / n);
  const logQ = new Float64Array(n).fill(-Math.log(n));
  const slope = new Float64Array(n); // of no use here
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

/** Throws for the row, whose softmax is NaN. */
function explain(operation: string, outputs: Matrix<FloatArray>, row: number): never {
  checkRow(operation, 'outputs', outputs, row, -Infinity);
  const expected = 'be above -Infinity in some column';
  refuse('RULED_OUT', operation, 'outputs', expected, '-Infinity', { row });
}
