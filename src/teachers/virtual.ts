import { checkInteger, checkNumber, checkOptions, refuse, throwType } from '../core/errors.js';
import { IGNORE_INDEX, UNLABELED } from '../core/labels.js';
import { Matrix } from '../core/matrix.js';
import { typeTag } from '../core/numeric.js';

/** Options of {@link virtualTeacher}. */
export interface VirtualTeacherOptions {
  /** The probability of the label, in (1 / classes, 1); 0.99. */
  readonly correct?: number | undefined;
}

/**
 * A teacher that nobody trained: it gives the label of a row the probability `correct`, and the
 * rest to all other classes in equal parts. To distil from it is label smoothing whose strength the
 * temperature sets.
 *
 *     logit of the label: log(correct),   of the others: log((1 − correct) / (classes − 1))
 *
 * Yuan et al. (2020), "Revisiting Knowledge Distillation via Label Smoothing Regularization", §5,
 * arXiv:1909.11723 (Tf-KD with a manually designed teacher, `correct` ≥ 0.9).
 *
 * @param labels - one class in [0, classes) for each row. A row of `IGNORE_INDEX` or `UNLABELED`
 * has equal logits: leave it out of the loss, or learn from it to be unsure
 * @param classes - number of classes, ≥ 2: the student's columns
 * @returns log-probabilities at temperature 1, which are logits: shape [rows, classes], float32
 * @throws {DistillationError} OUT_OF_RANGE for a label, `classes` or `correct`, UNKNOWN_OPTION
 * @throws {TypeError} for labels that are no `Int32Array`
 *
 * @example
 * import { ResponseDistillationStrategy, Matrix, virtualTeacher } from 'knowledge-distillation';
 *
 * const labels = Int32Array.of(2, 0);
 * const student = Matrix.fromRows([[0.2, 0.1, 0.9], [1.2, 0.4, 0.1]]);
 * const teacher = virtualTeacher(labels, 3, { correct: 0.9 });
 * const strategy = new ResponseDistillationStrategy({ temperature: 20 });
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels);
 */
export function virtualTeacher(
  labels: Int32Array,
  classes: number,
  options: VirtualTeacherOptions = {},
): Matrix {
  const operation = 'virtualTeacher';
  if (typeTag(labels) !== 'Int32Array') {
    throwType(
      operation,
      'labels',
      'be an Int32Array',
      labels,
      'use Int32Array.from(labels, Number)',
    );
  }
  checkInteger(operation, 'classes', classes, 2);
  checkOptions(operation, 'options', options, ['correct']);
  const { correct = 0.99 } = options;
  const range = `be in (${1 / classes}, 1)`;
  checkNumber(operation, 'correct', correct, range, (value) => value > 1 / classes && value < 1);
  const teacher = Matrix.zeros(labels.length, classes);
  const other = Math.log((1 - correct) / (classes - 1));
  for (const [row, label] of labels.entries()) {
    if (label === IGNORE_INDEX || label === UNLABELED) continue;
    if (!(label >= 0 && label < classes)) {
      const expected = `be a class in [0, ${classes}), UNLABELED (${UNLABELED}) or IGNORE_INDEX (${IGNORE_INDEX})`;
      refuse('OUT_OF_RANGE', operation, 'labels', expected, String(label), { row });
    }
    teacher.row(row).fill(other);
    teacher.set(row, label, Math.log(correct));
  }
  return teacher;
}
