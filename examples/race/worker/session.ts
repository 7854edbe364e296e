import * as tf from '@tensorflow/tfjs-core';
import { LinearProjection } from 'knowledge-distillation';
import { distillationLoss, type LayerwiseDistillationLoss } from 'knowledge-distillation/tfjs';
import { chooseStratified, hideLabels, mixedBatches } from '../../digits/fewLabels.js';
import type { TrainingState } from '../../digits/optimizer.js';
import { classify, Trainer } from '../../digits/training.js';
import { Transformer } from '../../digits/transformer.js';
import { batchesOf } from '../../shared/batches.js';
import { Random } from '../../shared/random.js';
import { agreement } from '../../shared/statistics.js';
import type { Classroom } from './classroom.js';
import {
  type CurvePoint,
  type Facts,
  type Recipe,
  type Report,
  SNAPSHOT_VERSION,
  type Snapshot,
} from './protocol.js';
import { createStrategy } from './recipe.js';
import { LEARNING_RATE_FLOOR, SETTINGS, STEPS_BETWEEN_EVALUATIONS } from './settings.js';

/** The objects that depend on the recipe. */
interface Lesson {
  readonly recipe: Recipe;
  readonly loss: LayerwiseDistillationLoss<tf.Tensor, tf.Scalar, tf.Variable>;
  /** The batches of the steps that follow. */
  readonly batches: Iterator<Int32Array, never>;
  readonly trainer: Trainer;
}

const { model: MODEL, training: TRAINING } = SETTINGS.student;

/** One student, which trains for as many steps as one likes. */
export class Session {
  readonly student: Transformer;
  readonly #classroom: Classroom;
  readonly #seed: number;
  /** The labelled images of the student. */
  readonly #labelled: Int32Array;
  readonly #labels: Int32Array;
  readonly #projection: LinearProjection;
  readonly #curve: CurvePoint[] = [];
  #lesson: Lesson;

  constructor(classroom: Classroom, seed: number, recipe: Recipe) {
    const { labels } = classroom.training;
    this.#classroom = classroom;
    this.#seed = seed;
    this.#projection = new LinearProjection(MODEL.width, classroom.teacher.width, { seed });
    this.student = new Transformer(MODEL, seed);
    const random = new Random(seed, 'labelled');
    this.#labelled = chooseStratified(labels, SETTINGS.labelledPerClass, random);
    this.#labels = hideLabels(labels, this.#labelled);
    this.#lesson = this.#prepare(recipe);
  }

  /** Restores the session of a snapshot. */
  static resume(classroom: Classroom, snapshot: Snapshot): Session {
    checkSnapshot(snapshot);
    const session = new Session(classroom, snapshot.seed, snapshot.recipe);
    session.#change(snapshot.recipe, snapshot);
    session.#curve.push(...snapshot.curve);
    return session;
  }

  /** Number of completed steps. */
  get step(): number {
    return this.#lesson.trainer.steps;
  }

  /** True if the curve should have a point at this step and has none. */
  get isEvaluationDue(): boolean {
    const isOnCurve = this.#curve.at(-1)?.step === this.step;
    return !isOnCurve && this.step % STEPS_BETWEEN_EVALUATIONS === 0;
  }

  /** The models and the data. */
  get facts(): Facts {
    const { teacher, training, heldOut } = this.#classroom;
    return {
      teacher: { accuracy: teacher.accuracy, parameters: teacher.parameters },
      student: { parameters: this.student.parameterCount },
      images: training.labels.length,
      labelledImages: this.#labelled.length,
      heldOutImages: heldOut.labels.length,
    };
  }

  /** A copy of the state from which the session resumes. */
  get snapshot(): Snapshot {
    return {
      version: SNAPSHOT_VERSION,
      seed: this.#seed,
      recipe: this.#lesson.recipe,
      ...this.#lesson.trainer.state,
      curve: [...this.#curve],
    };
  }

  /** Changes the recipe of the steps that follow. Student and projection keep their parameters. */
  teach(recipe: Recipe): void {
    const { recipe: before, batches, trainer } = this.#lesson;
    this.#change(recipe, trainer.state, recipe.images === before.images ? batches : undefined);
  }

  advance(): Extract<Report, { kind: 'step' }> {
    const { recipe, loss, trainer } = this.#lesson;
    try {
      const value = trainer.step();
      return { kind: 'step', step: this.step, loss: value, components: loss.components };
    } catch (error) {
      this.#change(recipe, trainer.state); // restores the batch of the failed step
      throw error;
    }
  }

  /** Evaluates the student and adds a point to the curve. */
  evaluate(): void {
    const { teacher, heldOut } = this.#classroom;
    const classes = classify(this.student, heldOut);
    this.#curve.push({
      step: this.step,
      accuracy: agreement(classes, heldOut.labels),
      agreement: agreement(classes, teacher.heldOutClasses),
      recipe: this.#lesson.recipe,
    });
  }

  dispose(): void {
    this.student.dispose();
    this.#lesson.loss.dispose();
  }

  #change(recipe: Recipe, state: TrainingState, batches?: Lesson['batches']): void {
    const lesson = this.#prepare(recipe, state, batches);
    this.#lesson.loss.dispose();
    this.#lesson = lesson;
  }

  #prepare(
    recipe: Recipe,
    state?: TrainingState,
    batches: Lesson['batches'] = this.#batchesAfter(state?.step ?? 0, recipe),
  ): Lesson {
    const { teacher, training } = this.#classroom;
    const loss = distillationLoss(tf, createStrategy(recipe, this.#projection));
    const settings = {
      ...TRAINING,
      floor: LEARNING_RATE_FLOOR,
      model: this.student,
      images: training.images,
      batches,
      variables: [...Object.values(this.student.weights), ...loss.variables],
      objective: (outputs: tf.NamedTensorMap, indices: Int32Array) => {
        const labels = indices.map((index) => this.#labels[index]!);
        return loss(outputs, teacher.recorded.of(indices), labels);
      },
    };
    return { recipe, loss, batches, trainer: new Trainer(settings, state) };
  }

  #batchesAfter(steps: number, { images }: Recipe): Lesson['batches'] {
    const { batch, labelledPerBatch } = SETTINGS;
    const random = new Random(this.#seed, 'batches');
    const batches =
      images === 'labelled'
        ? batchesOf(this.#labelled, batch, random)
        : mixedBatches(this.#labelled, labelledPerBatch, this.#labels.length, batch, random);
    for (let step = 0; step < steps; step++) batches.next();
    return batches;
  }
}

function checkSnapshot({ version, step }: Snapshot): void {
  if (version !== SNAPSHOT_VERSION) {
    throw new RangeError(`the snapshot is of version ${version}, expected ${SNAPSHOT_VERSION}`);
  }
  if (!Number.isInteger(step) || step < 0) {
    throw new RangeError(`the snapshot is of step ${step}, expected 0 or more`);
  }
}
