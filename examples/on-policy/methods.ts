import * as tf from '@tensorflow/tfjs-core';
import {
  type IDistillationStrategy,
  Matrix,
  ResponseDistillationStrategy,
  ReverseKLDistillationStrategy,
} from 'knowledge-distillation';
import { distillationLoss } from 'knowledge-distillation/tfjs';

/**
 * Computes the loss of a student's logits. `labels` holds the next token of each row, or
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
  /**
   * The source of the text after the prompts: the corpus, or the student with its current weights.
   */
  readonly writer: 'corpus' | 'student';
  readonly createObjective: () => Objective;
}

/** Cross-entropy with the next token, without a teacher. It also trains the teacher. */
export function crossEntropy(): Objective {
  const loss = distillationLoss(tf, new ResponseDistillationStrategy({ alpha: 1 }));
  return (student, _, labels) => loss(student, tf.zerosLike(student), labels);
}

/** A divergence over the complete vocabulary. It reads the labels only for `IGNORE_INDEX`. */
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
 * The reverse KL, estimated from the written token y alone by the score function. Its gradient (log
 * q(y) − log p(y)) ∇ log q(y) is the gradient of the cross-entropy −log q(y) with the constant
 * weight log p(y) − log q(y).
 */
function sampledReverseKL(): Objective {
  const strategy = new ResponseDistillationStrategy({ alpha: 1 });
  const loss = distillationLoss(tf, strategy);
  /** Returns −log-probability of each row's label. */
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

/** The method that every student starts with; it is not part of the comparison. */
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
