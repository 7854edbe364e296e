import { checkInteger, checkNumber, checkOptions, refuse, throwType } from '../core/errors.js';
import { indicesHint } from '../core/hints.js';
import { IGNORE_INDEX, UNLABELED } from '../core/labels.js';
import { Matrix } from '../core/matrix.js';
import { typeTag } from '../core/numeric.js';

/** Options of {@link virtualTeacher}. */
export interface VirtualTeacherOptions {
  /**
   * Probability of the label, in (1 / classes, 1).
   *
   * @defaultValue 0.99
   */
  readonly correct?: number | undefined;
}

/**
 * Makes the logits of a virtual teacher from the labels alone. The label of a row gets the
 * probability `correct`; the other classes share the rest equally.
 *
 * ```math
 * z_j = log(correct) if j = y
 * z_j = log((1 − correct) / (classes − 1)) otherwise
 * ```
 *
 * Distillation from this teacher is label smoothing; the temperature determines its strength.
 *
 * @param labels - the class of each row, in [0, classes). A row labelled `IGNORE_INDEX` or
 *   `UNLABELED` gets equal logits: exclude it from the loss, unless the student is to learn the
 *   uniform distribution there
 * @param classes - number of classes, ≥ 2: the student's columns
 * @param options - `correct`
 * @returns log-probabilities at temperature 1, to be used as logits: shape [rows, classes], float32
 * @throws {DistillationError} `OUT_OF_RANGE` for a label, `classes` or `correct`, `UNKNOWN_OPTION`
 * @throws {TypeError} for labels that are not an `Int32Array`
 * @see [Yuan et al. 2020](https://arxiv.org/abs/1909.11723), "Revisiting Knowledge Distillation via
 *   Label Smoothing Regularization", §5: Tf-KD with a manually designed teacher. The paper uses
 *   `correct` ≥ 0.9.
 *
 * @example
 * ```ts
 * import { ResponseDistillationStrategy, Matrix, virtualTeacher } from 'knowledge-distillation';
 *
 * const labels = Int32Array.of(2, 0);
 * const student = Matrix.fromRows([[0.2, 0.1, 0.9], [1.2, 0.4, 0.1]]);
 * const teacher = virtualTeacher(labels, 3, { correct: 0.9 });
 * const strategy = new ResponseDistillationStrategy({ temperature: 20 });
 * console.log(strategy.computeLoss(student, teacher, labels).toFixed(4)); // 0.5252
 * ```
 */
export function virtualTeacher(
  labels: Int32Array,
  classes: number,
  options: VirtualTeacherOptions = {},
): Matrix {
  const operation = 'virtualTeacher';
  if (typeTag(labels) !== 'Int32Array') {
    throwType(operation, 'labels', 'be an Int32Array', labels, indicesHint('labels', labels));
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
