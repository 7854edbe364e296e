import { checkDtype, checkShape } from '../core/checks.js';
import {
  checkChoice,
  checkOptions,
  checkPositive,
  refuse,
  throwShape,
  throwType,
} from '../core/errors.js';
import { mapRows } from '../core/mapRows.js';
import { checkMatrix, type Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { checkWeights } from '../core/weights.js';
import { meanLogits, mixtureLogits } from '../kernels/rows/mixture.js';

/** Options of {@link ensembleTeachers}. */
export interface EnsembleOptions {
  /** Averages the logits, or the distributions softmax(logits / temperature). */
  readonly space: 'logits' | 'probabilities';
  /** One weight for each teacher, in [0, 1], with the sum 1; equal by default. */
  readonly weights?: readonly number[] | undefined;
  /**
   * Temperature at which probabilities are averaged: the temperature of the strategy that reads
   * them; 1.
   */
  readonly temperature?: number | undefined;
}

/**
 * Combines several teachers into one, for a response strategy:
 *
 *     'logits'         Σ weight · t, in probabilities the geometric mean, at any temperature
 *     'probabilities'  T · log Σ weight · softmax(t / T), in probabilities the arithmetic mean
 *
 * With `'logits'` a class is ruled out if any teacher rules it out, with `'probabilities'` if all
 * teachers do. A teacher of weight 0 is not read. NaN, +Infinity, or a row of only −Infinity makes
 * the row of the result unusable: the strategy throws, unless the row is masked. With
 * `'probabilities'`, KL(teacher ‖ student) has the same gradient as the weighted mean of the
 * divergences from each teacher.
 *
 * @param teachers - logits over the same classes, each of shape [rows, classes]; −Infinity rules a
 *   class out
 * @returns logits of the same shape, in a new matrix
 * @throws {DistillationError} EMPTY without a teacher, SHAPE_MISMATCH, DTYPE_MISMATCH, OUT_OF_RANGE
 *   for an option, WEIGHT_SUM, MISPLACED_OPTION for a temperature with `'logits'`
 * @throws {TypeError} for a teacher that is no matrix
 *
 * @remarks Cost: one pass over each teacher; with `'probabilities'`, two exponentials per logit.
 *
 * Hinton et al. (2015), "Distilling the Knowledge in a Neural Network", §1, arXiv:1503.02531, has
 * both means, unweighted.
 *
 * @example
 * import { ensembleTeachers, Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new ResponseDistillationStrategy({ temperature: 2 });
 * const teachers = [Matrix.fromRows([[3, 1, 0]]), Matrix.fromRows([[0, 2, 1]])];
 * const teacher = ensembleTeachers(teachers, {
 *   space: 'probabilities',
 *   temperature: 2,
 *   weights: [0.75, 0.25],
 * });
 * const student = Matrix.fromRows([[1, 0, 0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 */
export function ensembleTeachers<T extends FloatArray>(
  teachers: readonly Matrix<T>[],
  options: EnsembleOptions,
): Matrix<T> {
  const operation = 'ensembleTeachers';
  const first = checkTeachers(operation, teachers);
  checkOptions(operation, 'options', options, ['space', 'weights', 'temperature']);
  const { weights = teachers.map(() => 1 / teachers.length), temperature = 1 } = options;
  const space = checkChoice(operation, 'space', options.space, ['logits', 'probabilities']);
  checkPositive(operation, 'temperature', temperature);
  if (options.temperature !== undefined && space === 'logits') {
    refuse('MISPLACED_OPTION', operation, 'temperature', 'come with probabilities', space);
  }
  if (!Array.isArray(weights)) throwType(operation, 'weights', 'be an array of numbers', weights);
  if (weights.length !== teachers.length) {
    const expected = [teachers.length];
    throwShape(operation, 'weights', [weights.length], expected, 'one for each teacher');
  }
  checkWeights(operation, weights, 'sum-to-one', (index) => `weights[${index}]`);

  const parts = teachers
    .map(({ data }, i) => ({ data, weight: weights[i]! }))
    .filter(({ weight }) => weight > 0);
  const { columns } = first;
  const average =
    space === 'logits' ? meanLogits(parts) : mixtureLogits(parts, temperature, columns);
  return mapRows(operation, first, columns, average);
}

/**
 * Throws unless the teachers are matrices of one shape and number format; returns the first
 * teacher.
 */
function checkTeachers<T extends FloatArray>(
  operation: string,
  teachers: readonly Matrix<T>[],
): Matrix<T> {
  if (!Array.isArray(teachers)) {
    throwType(operation, 'teachers', 'be an array of matrices', teachers);
  }
  if (teachers.length === 0) {
    refuse('EMPTY', operation, 'teachers', 'hold at least one matrix', 'an empty array');
  }
  const first = teachers[0]!;
  for (const [index, teacher] of teachers.entries()) {
    const argument = `teachers[${index}]`;
    checkMatrix(operation, argument, teacher);
    checkDtype(operation, argument, teacher, first);
    checkShape(
      operation,
      argument,
      teacher,
      [first.rows, first.columns],
      'the shape of teachers[0]',
    );
  }
  return first;
}
