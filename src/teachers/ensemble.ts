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
import { packRows } from './raggedRows.js';
import { SparseTargets } from './sparse.js';
import { isSparse } from './sparseCheck.js';
import { mixRow } from './sparseMixture.js';

/** Options of {@link ensembleTeachers}. */
export interface EnsembleOptions {
  /** Averages the logits, or the distributions softmax(logits / temperature). */
  readonly space: 'logits' | 'probabilities';
  /** One weight for each teacher, in [0, 1], with the sum 1; equal by default. */
  readonly weights?: readonly number[] | undefined;
  /**
   * Temperature at which probabilities are averaged: the temperature of the strategy that reads
   * them; 1, or that of sparse teachers.
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
 * Of {@link SparseTargets}, it is `'probabilities'`. A row keeps the classes that any of the
 * teachers keeps:
 *
 *     p of a class = Σ weight · its p, over the teachers that keep it
 *     p of the tail = Σ weight · p of their tails
 *
 * A teacher that does not keep a class counts it in its tail, so that p of the class is a lower
 * bound: it is less than the mean of all by at most Σ weight · p of the tails of those teachers. It
 * is exact for teachers that keep the same classes or have empty tails, as those of
 * `SparseTargets.sample`. A row in which a teacher keeps no class keeps none; one in which a
 * teacher keeps a class twice or out of range is unusable.
 *
 * @param teachers - logits over the same classes, each of shape [rows, classes], −Infinity rules a
 *   class out; or `SparseTargets` with log-probabilities at one temperature
 * @returns logits of the same shape, in a new matrix; of sparse teachers, new `SparseTargets`
 * @throws {DistillationError} EMPTY without a teacher, SHAPE_MISMATCH, DTYPE_MISMATCH, OUT_OF_RANGE
 *   for an option, WEIGHT_SUM, MISPLACED_OPTION for a temperature with `'logits'`, and for
 *   `'logits'` of sparse teachers, TEMPERATURE for sparse teachers of several, or with logits
 * @throws {TypeError} for a teacher that is no matrix and not sparse, and for both kinds together
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
): Matrix<T>;
export function ensembleTeachers<T extends FloatArray>(
  teachers: readonly SparseTargets<T>[],
  options: EnsembleOptions,
): SparseTargets<T>;
export function ensembleTeachers<T extends FloatArray>(
  teachers: readonly (Matrix<T> | SparseTargets<T>)[],
  options: EnsembleOptions,
): Matrix<T> | SparseTargets<T> {
  const operation = 'ensembleTeachers';
  const isOfSparse = checkTeachers(operation, teachers);
  checkOptions(operation, 'options', options, ['space', 'weights', 'temperature']);
  const { weights = teachers.map(() => 1 / teachers.length) } = options;
  const space = checkChoice(operation, 'space', options.space, ['logits', 'probabilities']);
  if (options.temperature !== undefined) {
    checkPositive(operation, 'temperature', options.temperature);
    if (space === 'logits') {
      refuse('MISPLACED_OPTION', operation, 'temperature', 'come with probabilities', space);
    }
  }
  if (!Array.isArray(weights)) throwType(operation, 'weights', 'be an array of numbers', weights);
  if (weights.length !== teachers.length) {
    const expected = [teachers.length];
    throwShape(operation, 'weights', [weights.length], expected, 'one for each teacher');
  }
  checkWeights(operation, weights, 'sum-to-one', (index) => `weights[${index}]`);
  return isOfSparse
    ? mixSparse(operation, teachers as readonly SparseTargets<T>[], weights, options)
    : averageDense(operation, teachers as readonly Matrix<T>[], weights, options);
}

function averageDense<T extends FloatArray>(
  operation: string,
  teachers: readonly Matrix<T>[],
  weights: readonly number[],
  { space, temperature = 1 }: EnsembleOptions,
): Matrix<T> {
  const parts = teachers
    .map(({ data }, i) => ({ data, weight: weights[i]! }))
    .filter(({ weight }) => weight > 0);
  const first = teachers[0]!;
  const { columns } = first;
  const average =
    space === 'logits' ? meanLogits(parts) : mixtureLogits(parts, temperature, columns);
  return mapRows(operation, first, columns, average);
}

function mixSparse<T extends FloatArray>(
  operation: string,
  teachers: readonly SparseTargets<T>[],
  weights: readonly number[],
  options: EnsembleOptions,
): SparseTargets<T> {
  const { rows, columns, numeric, temperature } = teachers[0]!;
  if (options.space === 'logits') {
    const expected = "be 'probabilities' for SparseTargets";
    const hint = 'the logits of the classes that a teacher left out are unknown';
    refuse('MISPLACED_OPTION', operation, 'space', expected, 'logits', { hint });
  }
  if (options.temperature !== undefined && options.temperature !== temperature) {
    const expected = `be ${temperature}, the temperature of the teachers' log-probabilities`;
    refuse('TEMPERATURE', operation, 'temperature', expected, String(options.temperature));
  }
  for (const [index, teacher] of teachers.entries()) {
    const argument = `teachers[${index}]`;
    const expected = `hold log-probabilities at temperature ${temperature}`;
    if (teacher.kind === 'logits') {
      const hint = 'with logits, the probability of the classes that are left out is unknown';
      refuse('TEMPERATURE', operation, argument, expected, 'logits', { hint });
    }
    if (teacher.temperature === temperature) continue;
    const received = `temperature ${teacher.temperature}`;
    refuse('TEMPERATURE', operation, argument, `${expected}, as teachers[0]`, received);
  }
  const parts = teachers
    .map((teacher, i) => ({ teacher, weight: weights[i]! }))
    .filter(({ weight }) => weight > 0);
  const kept = Array.from({ length: rows }, (_, row) => mixRow(parts, row));
  return new SparseTargets({ ...packRows(kept, numeric), columns, temperature });
}

/**
 * Throws unless the teachers are all matrices or all sparse, of one shape and number format;
 * returns whether they are sparse.
 */
function checkTeachers<T extends FloatArray>(
  operation: string,
  teachers: readonly (Matrix<T> | SparseTargets<T>)[],
): boolean {
  if (!Array.isArray(teachers)) {
    throwType(operation, 'teachers', 'be an array of matrices or of SparseTargets', teachers);
  }
  if (teachers.length === 0) {
    refuse('EMPTY', operation, 'teachers', 'hold at least one teacher', 'an empty array');
  }
  const first = teachers[0]!;
  const isOfSparse = isSparse(first);
  for (const [index, teacher] of teachers.entries()) {
    const argument = `teachers[${index}]`;
    if (!isSparse(teacher)) checkMatrix(operation, argument, teacher);
    if (isSparse(teacher) !== isOfSparse) {
      const expected = `be ${isOfSparse ? 'SparseTargets' : 'a Matrix'}, as teachers[0] is`;
      const [dense, sparse] = isOfSparse ? [index, first] : [0, teacher as SparseTargets<T>];
      const hint = `use SparseTargets.topK(teachers[${dense}], k, { temperature: ${sparse.temperature} })`;
      throwType(operation, argument, expected, teacher, hint);
    }
    const hint = isOfSparse ? `make it of ${first.numeric.dtype} matrices` : undefined;
    checkDtype(operation, argument, teacher, first, hint);
    const shape = [first.rows, first.columns] as const;
    checkShape(operation, argument, teacher, shape, 'the shape of teachers[0]');
  }
  return isOfSparse;
}
