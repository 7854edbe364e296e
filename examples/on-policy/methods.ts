import * as tf from '@tensorflow/tfjs-core';
import {
  type IDistillationStrategy,
  Matrix,
  ResponseDistillationStrategy,
  ReverseKLDistillationStrategy,
} from 'knowledge-distillation';
import { distillationLoss } from 'knowledge-distillation/tfjs';

/**
 * The loss of a student's logits, from the teacher's; `labels` has the next token of each row, or
 * `IGNORE_INDEX`.
 */
export type Objective = (
  student: tf.Tensor2D,
  teacher: tf.Tensor2D,
  labels: Int32Array,
) => tf.Scalar;

/** One way to teach a student. */
export interface Method {
  readonly name: string;
  /** Who continues the prompts: the corpus, or the student with the weights that it has by then. */
  readonly writer: 'corpus' | 'student';
  readonly createObjective: () => Objective;
}

/**
 * Cross-entropy with the next token: the loss of the teacher's own training, which has no teacher.
 */
export function crossEntropy(): Objective {
  const loss = distillationLoss(tf, new ResponseDistillationStrategy({ alpha: 1 }));
  return (student, _, labels) => loss(student, tf.zerosLike(student), labels);
}

/** A divergence over the whole vocabulary; of the labels, only `IGNORE_INDEX` matters. */
function divergence(strategy: IDistillationStrategy): Objective {
  return distillationLoss(tf, strategy);
}

function forwardKL(): Objective {
  return divergence(new ResponseDistillationStrategy({ temperature: 1, alpha: 0 }));
}

function reverseKL(): Objective {
  return divergence(new ReverseKLDistillationStrategy({ temperature: 1, alpha: 0 }));
}

/**
 * The reverse KL as estimated from the written token y alone, by the score function: the gradient
 * (log q(y) − log p(y)) ∇ log q(y) is that of the cross-entropy −log q(y) with the constant weight
 * log p(y) − log q(y).
 */
function sampledReverseKL(): Objective {
  const strategy = new ResponseDistillationStrategy({ alpha: 1 });
  const loss = distillationLoss(tf, strategy);
  /** −log-probability of each row's label. */
  const surprisals = (logits: tf.Tensor2D, labels: Int32Array): Float64Array => {
    const matrix = new Matrix(logits.dataSync<'float32'>(), ...logits.shape);
    const rowLosses = new Float64Array(matrix.rows);
    strategy.computeLoss(matrix, matrix, labels, { rowLosses });
    return rowLosses;
  };
  return (student, teacher, labels) => {
    const byTeacher = surprisals(teacher, labels);
    const rowWeights = surprisals(student, labels).map((own, row) => own - byTeacher[row]!);
    return loss(student, teacher, labels, { rowWeights });
  };
}

/** Taught to every student first; no part of the comparison. */
export const WARM_UP: Method = {
  name: 'student after the warm-up',
  writer: 'corpus',
  createObjective: forwardKL,
};

export const METHODS: readonly Method[] = [
  { name: 'corpus, forward KL', writer: 'corpus', createObjective: forwardKL },
  { name: 'corpus, reverse KL', writer: 'corpus', createObjective: reverseKL },
  { name: 'student, forward KL', writer: 'student', createObjective: forwardKL },
  { name: 'student, reverse KL', writer: 'student', createObjective: reverseKL },
  { name: 'student, sampled token', writer: 'student', createObjective: sampledReverseKL },
];
