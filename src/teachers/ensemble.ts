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
  /** What is averaged: the logits, or the distributions that a softmax at `temperature` makes of them. */
  readonly space: 'logits' | 'probabilities';
  /** One for each teacher, in [0, 1], with sum 1; equal where they are left out. */
  readonly weights?: readonly number[];
  /** The temperature at which probabilities are averaged, that of the strategy that will read them; 1. */
  readonly temperature?: number;
}

/**
 * Several teachers as one, to stand in the teacher's place of a response strategy:
 *
 *     'logits'         Σ weight · t, in probabilities the geometric mean, at any temperature
 *     'probabilities'  T · log Σ weight · softmax(t / T), of which softmax(· / T) is the arithmetic mean
 *
 * - `teachers`: logits over the same classes, each of shape [rows, classes], one or more; −Infinity rules a class out.
 *
 * Returns logits of that shape, in a new matrix. A class is ruled out by any teacher in `'logits'`, only by all of them in
 * `'probabilities'`. A teacher of weight 0 is not read. A NaN or +Infinity, or a row of −Infinity alone, makes the row of
 * the result unusable too: the strategy says so, unless the row is masked.
 *
 * With `'probabilities'`, KL(teacher ‖ student) has the gradient of the weighted mean of its values for the teachers one by one.
 *
 * Throws `DistillationError`: EMPTY (no teachers), SHAPE_MISMATCH, DTYPE_MISMATCH, OUT_OF_RANGE (space, a weight, temperature),
 * WEIGHT_SUM, MISPLACED_OPTION (a temperature for logits). `TypeError` for what is no matrix.
 *
 * Cost: one pass over each teacher; for `'probabilities'`, two exponentials a logit.
 *
 * Hinton et al. (2015), "Distilling the Knowledge in a Neural Network", §1, arXiv:1503.02531: either mean, unweighted.
 *
 * @example
 * import { ensembleTeachers, Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new ResponseDistillationStrategy({ temperature: 2 });
 * const teachers = [Matrix.fromRows([[3, 1, 0]]), Matrix.fromRows([[0, 2, 1]])];
 * const teacher = ensembleTeachers(teachers, { space: 'probabilities', temperature: 2, weights: [0.75, 0.25] });
 * const { loss, gradient } = strategy.computeLossAndGradient(Matrix.fromRows([[1, 0, 0]]), teacher);
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

/** Throws unless they are matrices of one shape and number format; returns the first. */
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
    checkShape(operation, argument, teacher, first.rows, first.columns, 'that of teachers[0]');
  }
  return first;
}
