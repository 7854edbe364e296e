import { type DistillationStrategyBase, Matrix } from 'knowledge-distillation';
import { Adam } from './adam.js';
import { batchesOf, gatherRows } from './batches.js';
import { Phase } from './progress.js';
import { Random } from './random.js';
import { schedule } from './schedule.js';

/** The sparse features of a sample: their indices and values. */
export interface Features {
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

/** A model with hand-written passes. */
export interface Student {
  readonly classes: number;
  /** All learned weights; training writes into them. */
  readonly weights: Float32Array;
  /** Returns the logits of each sample, one row after the other. */
  forward(samples: readonly Features[]): Float32Array;
  /** Returns d loss / d weights, from d loss / d logits of these samples. */
  backward(samples: readonly Features[], logitGradient: Float32Array): Float32Array;
}

/** Samples, with the label and the teacher's logits of each. */
export interface Lesson {
  readonly features: readonly Features[];
  readonly labels: Int32Array;
  /** A row of logits for each sample. */
  readonly teacherLogits: Float32Array;
}

/** One way to teach a student. */
export interface Method {
  readonly name: string;
  readonly createStrategy: () => DistillationStrategyBase;
  /** True if the strategy is given the labels. */
  readonly labels: boolean;
}

export interface Pace {
  readonly steps: number;
  /** Number of samples of a step. */
  readonly batch: number;
  readonly learningRate: number;
}

/**
 * Trains `student` on the samples `training`. For one seed, all students see the same batches in
 * the same order.
 */
export function teach(
  student: Student,
  { name, createStrategy, labels }: Method,
  lesson: Lesson,
  training: Int32Array,
  pace: Pace,
  seed: number,
): void {
  const { classes } = student;
  const strategy = createStrategy();
  optimise(name, training, pace, seed, (indices) => {
    const samples = Array.from(indices, (index) => lesson.features[index]!);
    const { loss, gradient } = strategy.computeLossAndGradient(
      new Matrix(student.forward(samples), indices.length, classes),
      new Matrix(gatherRows(lesson.teacherLogits, classes, indices), indices.length, classes),
      labels ? indices.map((index) => lesson.labels[index]!) : undefined,
    );
    const weights = { value: student.weights, gradient: student.backward(samples, gradient.data) };
    return { loss, parameters: [weights] };
  });
}

/** The loss of a batch, and its gradient with respect to each parameter. */
export interface Evaluation {
  readonly loss: number;
  readonly parameters: readonly { value: Float32Array; gradient: Float32Array }[];
}

/**
 * Minimizes the loss that `evaluate` returns for batches of `training`. For one seed, the batches
 * and their order are the same.
 */
export function optimise(
  name: string,
  training: Int32Array,
  { steps, batch, learningRate }: Pace,
  seed: number,
  evaluate: (indices: Int32Array) => Evaluation,
): void {
  const adam = new Adam(0);
  const batches = batchesOf(training, batch, new Random(seed, 'batches'));
  const phase = new Phase(`${name}, seed ${seed}`, steps);
  let loss = Number.NaN;
  for (let step = 1; step <= steps; step++) {
    const evaluation = evaluate(batches.next().value);
    adam.step(evaluation.parameters, learningRate * schedule(step / steps));
    loss = evaluation.loss;
    phase.update(step);
  }
  phase.finish(`last loss ${loss.toFixed(4)}`);
}
