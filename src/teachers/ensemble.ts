import { checkDtype, checkShape } from '../core/checks.js';
import {
  checkChoice,
  checkOptions,
  checkPositive,
  refuse,
  refuseMisplaced,
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
  /** Whether the logits are averaged, or the distributions softmax(logits / temperature). */
  readonly space: 'logits' | 'probabilities';
  /**
   * One weight for each teacher, in [0, 1]; the weights sum to 1.
   *
   * @defaultValue equal weights
   */
  readonly weights?: readonly number[] | undefined;
  /**
   * Temperature at which probabilities are averaged, for `'probabilities'` only. Pass the
   * temperature of the strategy that reads the result: the default, 1, is not the default of a
   * strategy.
   *
   * @defaultValue 1 for logits; the temperature of the teachers for `SparseTargets`
   */
  readonly temperature?: number | undefined;
}

/**
 * Combines several teachers into one teacher for a response strategy.
 *
 * ```math
 * z = Σ_i w_i · t_i if space = 'logits'
 * z = T · log(Σ_i w_i · softmax(t_i / T)) if space = 'probabilities'
 * ```
 *
 * `'logits'` takes the geometric mean of the probabilities, at any temperature; `'probabilities'`
 * takes their arithmetic mean at temperature T. For `'probabilities'`, KL(teacher ‖ student) has
 * the same gradient as the weighted mean of the divergences from each teacher.
 *
 * With `'logits'`, a class is ruled out if any teacher rules it out; with `'probabilities'`, if all
 * teachers do. A teacher of weight 0 is not read. If a row of a teacher holds NaN, +Infinity or
 * only −Infinity, the row of the result is unusable: the strategy throws unless the row is
 * excluded.
 *
 * {@link SparseTargets} can be combined with `'probabilities'` only. A row of the result keeps each
 * class that any of the teachers keeps:
 *
 * - the probability of a class is the weighted sum over the teachers that keep the class;
 * - the probability of the tail is the weighted sum of the tails.
 *
 * A teacher that does not keep a class counts the class in its tail. The probability of the class
 * is then a lower bound: the exact mean is larger by at most the weighted sum of the tails of these
 * teachers. The result is exact if all teachers keep the same classes or have empty tails, as
 * {@link SparseTargets.sample} gives them. If a teacher keeps no class in a row, the row of the
 * result keeps none. If a teacher keeps a class twice or out of range, the row is unusable.
 *
 * @param teachers - logits over the same classes, each of shape [rows, classes], where −Infinity
 *   rules a class out; or `SparseTargets` with log-probabilities at one temperature
 * @param options - `space`, `weights` and `temperature`
 * @returns logits of the same shape in a new matrix; for sparse teachers, new `SparseTargets`
 * @throws {DistillationError} `EMPTY` without a teacher, `SHAPE_MISMATCH`, `DTYPE_MISMATCH`,
 *   `OUT_OF_RANGE` for an option, `WEIGHT_SUM`, `MISPLACED_OPTION` for a temperature with
 *   `'logits'` and for `'logits'` with sparse teachers, `TEMPERATURE` for sparse teachers at
 *   different temperatures or with logits
 * @throws {TypeError} for a teacher that is neither a matrix nor `SparseTargets`, and for a mixture
 *   of both
 *
 * @remarks Cost: one pass over each teacher; with `'probabilities'`, two exponentials for each
 *   logit.
 * @see [Hinton et al. 2015](https://arxiv.org/abs/1503.02531), "Distilling the Knowledge in a
 *   Neural Network", §1. The paper has both means, unweighted.
 *
 * @example
 * ```ts
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
 * console.log(strategy.computeLoss(student, teacher).toFixed(4)); // 0.0935
 * ```
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
  const areSparse = checkTeachers(operation, teachers);
  checkOptions(operation, 'options', options, ['space', 'weights', 'temperature'], ['space']);
  const { weights = teachers.map(() => 1 / teachers.length) } = options;
  const space = checkChoice(operation, 'space', options.space, ['logits', 'probabilities']);
  if (options.temperature !== undefined) {
    checkPositive(operation, 'temperature', options.temperature);
    if (space === 'logits') {
      refuseMisplaced(operation, 'temperature', "space 'probabilities'", `'${space}'`);
    }
  }
  if (!Array.isArray(weights)) throwType(operation, 'weights', 'be an array of numbers', weights);
  if (weights.length !== teachers.length) {
    const expected = [teachers.length];
    throwShape(operation, 'weights', [weights.length], expected, 'one for each teacher');
  }
  checkWeights(operation, weights, 'sum-to-one', (index) => `weights[${index}]`);
  return areSparse
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
 * Throws unless the teachers are all matrices or all sparse, of one shape and dtype. Returns
 * whether they are sparse.
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
  const areSparse = isSparse(first);
  for (const [index, teacher] of teachers.entries()) {
    const argument = `teachers[${index}]`;
    if (!isSparse(teacher)) checkMatrix(operation, argument, teacher);
    if (isSparse(teacher) !== areSparse) {
      const expected = `be ${areSparse ? 'SparseTargets' : 'a Matrix'}, as teachers[0] is`;
      const [dense, sparse] = areSparse ? [index, first] : [0, teacher as SparseTargets<T>];
      const hint = `use SparseTargets.topK(teachers[${dense}], k, { temperature: ${sparse.temperature} })`;
      throwType(operation, argument, expected, teacher, hint);
    }
    const hint = areSparse ? `make it of ${first.numeric.dtype} matrices` : undefined;
    checkDtype(operation, argument, teacher, first, hint);
    const shape = [first.rows, first.columns] as const;
    checkShape(operation, argument, teacher, shape, 'the shape of teachers[0]');
  }
  return areSparse;
}
