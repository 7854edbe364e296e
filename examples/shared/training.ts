import { type DistillationStrategyBase, Matrix } from 'knowledge-distillation';
import { Adam } from './adam.js';
import { batchesOf, gatherRows } from './batches.js';
import { Phase } from './progress.js';
import { Random } from './random.js';
import { schedule } from './schedule.js';

/** A sample as a student sees it: which features it has, and how much of each. */
export interface Features {
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

/** A model whose passes are written out. */
export interface Student {
  readonly classes: number;
  /** All that it learns; training writes it. */
  readonly weights: Float32Array;
  /** The logits of each sample, one row after the other. */
  forward(samples: readonly Features[]): Float32Array;
  /** d loss / d weights, from d loss / d logits of these samples. */
  backward(samples: readonly Features[], logitGradient: Float32Array): Float32Array;
}

/** Samples, the class of each, and what the teacher says about it. */
export interface Lesson {
  readonly features: readonly Features[];
  readonly labels: Int32Array;
  /** A row for each sample. */
  readonly teacherLogits: Float32Array;
}

/** One way to teach a student. */
export interface Method {
  readonly name: string;
  readonly createStrategy: () => DistillationStrategyBase;
  /** Whether the strategy gets to see the labels. */
  readonly labels: boolean;
}

export interface Pace {
  readonly steps: number;
  /** Samples in a step. */
  readonly batch: number;
  readonly learningRate: number;
}

/**
 * Trains `student` on the samples `training`; those of one seed see the same batches in the same
 * order.
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
 * Steps what `evaluate` says of batches of `training`, the same batches in the same order for one
 * seed.
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
