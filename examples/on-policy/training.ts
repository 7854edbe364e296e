import * as tf from '@tensorflow/tfjs-core';
import { causalRows } from 'knowledge-distillation';
import { Random } from '../shared/random.js';
import { type Evaluation, optimise, type Pace } from '../shared/training.js';
import { sequenceStarts, takeSequences } from './corpus.js';
import { crossEntropy, type Method } from './methods.js';
import type { LanguageModel } from './model.js';
import { continueSequences } from './sampling.js';

/** Tokens of a sequence. */
export const LENGTH = 64;
/** Number of tokens of the prompt, the beginning of a sequence. */
export const PROMPT = 16;
/** Number of tokens between the starts of two sequences of the corpus. */
const STRIDE = 16;

/**
 * Returns the label of each row of the sequences' logits: the next token, and `IGNORE_INDEX` for
 * the first `promptLength` tokens of each sequence.
 */
export function labelsOf(sequences: Int32Array, promptLength: number): Int32Array {
  const batch = sequences.length / LENGTH;
  const promptLengths = new Int32Array(batch).fill(promptLength);
  return causalRows({ batch, length: LENGTH, labels: sequences, promptLengths }).labels;
}

/** Trains the teacher on the corpus, to predict the next token. */
export function trainTeacher(
  teacher: LanguageModel,
  tokens: Int32Array,
  pace: Pace,
  seed: number,
): void {
  const objective = crossEntropy();
  optimise('teacher', sequenceStarts(tokens, LENGTH, STRIDE), pace, seed, (starts) => {
    const sequences = takeSequences(tokens, starts, LENGTH);
    const labels = labelsOf(sequences, 1);
    return differentiate(teacher, sequences, (logits) => objective(logits, logits, labels));
  });
}

/** A student and its teacher. */
interface Pair {
  readonly student: LanguageModel;
  readonly teacher: LanguageModel;
}

/**
 * Trains a student. For one seed, all methods see the same prompts in the same order. Returns the
 * processor time of a step, in milliseconds.
 */
export function teachStudent(
  { name, writer, createObjective }: Method,
  { student, teacher }: Pair,
  tokens: Int32Array,
  pace: Pace,
  seed: number,
): number {
  const objective = createObjective();
  const random = new Random(seed, 'writing');
  const before = process.cpuUsage();
  optimise(name, sequenceStarts(tokens, LENGTH, STRIDE), pace, seed, (starts) => {
    const read = takeSequences(tokens, starts, LENGTH);
    const sequences =
      writer === 'corpus' ? read : continueSequences(student, read, LENGTH, PROMPT, random);
    const labels = labelsOf(sequences, PROMPT);
    const answers = tf.tidy(() => teacher.forward(sequences, LENGTH, teacher.tensors()));
    const evaluation = differentiate(student, sequences, (logits) =>
      objective(logits, answers, labels),
    );
    answers.dispose();
    return evaluation;
  });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / pace.steps;
}

/** Computes the loss of a model's logits, and its gradient with respect to each weight. */
function differentiate(
  model: LanguageModel,
  sequences: Int32Array,
  lossOf: (logits: tf.Tensor2D) => tf.Scalar,
): Evaluation {
  const weights = model.tensors();
  const { value, grads } = tf.valueAndGrads((...tensors) =>
    lossOf(model.forward(sequences, LENGTH, tensors)),
  )(weights);
  const parameters = model.weights.map((weight, i) => ({
    value: weight.value,
    gradient: grads[i]!.dataSync<'float32'>(),
  }));
  const loss = value.dataSync()[0]!;
  tf.dispose([weights, value, grads]);
  return { loss, parameters };
}
