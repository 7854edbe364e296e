import * as tf from '@tensorflow/tfjs-core';
import {
  IGNORE_INDEX,
  Matrix,
  ResponseDistillationStrategy,
  ReverseKLDistillationStrategy,
} from 'knowledge-distillation';
import { agreement, mostLikely } from '../shared/statistics.js';
import type { LanguageModel } from './model.js';
import { LENGTH, labelsOf, PROMPT } from './training.js';

/** Scores of a model, in nats per token except for the agreement. */
export interface Scores {
  /** Negative log-likelihood under the teacher of the text that the model writes. */
  readonly writtenByTeacher: number;
  /**
   * Negative log-likelihood under the model of the text that it writes: an estimate of its entropy.
   */
  readonly writtenByItself: number;
  /** KL(student ‖ teacher) at the positions of the text that the model writes. */
  readonly reverseKL: number;
  /** Negative log-likelihood of held-out text. */
  readonly heldOut: number;
  /** KL(teacher ‖ student) on held-out text. */
  readonly forwardKL: number;
  /** Fraction of the held-out tokens for which both models have the same most likely token. */
  readonly agreement: number;
}

const likelihood = new ResponseDistillationStrategy({ alpha: 1 });
const forwardKL = new ResponseDistillationStrategy({ temperature: 1, alpha: 0 });
const reverseKL = new ReverseKLDistillationStrategy({ temperature: 1, alpha: 0 });

/**
 * Scores a model on sequences of held-out text, and on sequences that the model writes after their
 * prompts.
 */
export function judge(
  model: LanguageModel,
  teacher: LanguageModel,
  heldOut: Int32Array,
  written: Int32Array,
): Scores {
  const read = compare(model, teacher, heldOut);
  const own = compare(model, teacher, written);
  const choices = ({ data }: Matrix) =>
    mostLikely(data, model.vocabulary).filter((_, row) => read.labels[row] !== IGNORE_INDEX);
  return {
    writtenByTeacher: likelihood.computeLoss(own.teacher, own.teacher, own.labels),
    writtenByItself: likelihood.computeLoss(own.model, own.model, own.labels),
    reverseKL: reverseKL.computeLoss(own.model, own.teacher, own.labels),
    heldOut: likelihood.computeLoss(read.model, read.model, read.labels),
    forwardKL: forwardKL.computeLoss(read.model, read.teacher, read.labels),
    agreement: agreement(choices(read.model), choices(read.teacher)),
  };
}

/** Computes the logits of both models for sequences, and the labels of their rows. */
function compare(model: LanguageModel, teacher: LanguageModel, sequences: Int32Array) {
  return {
    model: logitsOf(model, sequences),
    teacher: logitsOf(teacher, sequences),
    labels: labelsOf(sequences, PROMPT),
  };
}

function logitsOf(model: LanguageModel, sequences: Int32Array): Matrix {
  const logits = tf.tidy(() => model.forward(sequences, LENGTH, model.tensors()));
  const matrix = new Matrix(logits.dataSync<'float32'>(), sequences.length, model.vocabulary);
  logits.dispose();
  return matrix;
}
