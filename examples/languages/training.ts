import { type DistillationStrategyBase, Matrix } from 'knowledge-distillation';
import { Adam } from '../shared/adam.js';
import { batchesOf, gatherRows } from '../shared/batches.js';
import { Phase } from '../shared/progress.js';
import { Random } from '../shared/random.js';
import { schedule } from '../shared/schedule.js';
import { type Corpus, LANGUAGE_NAMES, loadMessages } from './messages.js';
import { type Features, featuresOf, Student } from './student.js';
import { askTeacher } from './teacher.js';

/** A corpus, with what student and teacher make of each sentence. */
export interface Lesson extends Corpus {
  readonly features: readonly Features[];
  /** Log-probabilities, a row for each sentence. */
  readonly teacherLogits: Float32Array;
}

export function prepareLesson(messages: number): Lesson {
  const corpus = loadMessages(messages);
  return {
    ...corpus,
    features: corpus.texts.map(featuresOf),
    teacherLogits: askTeacher(corpus.texts),
  };
}

/** One way to teach a student. */
export interface Method {
  readonly name: string;
  readonly createStrategy: () => DistillationStrategyBase;
  /** Whether the strategy gets to see which language a sentence is in. */
  readonly labels: boolean;
}

const BATCH = 64;
const LEARNING_RATE = 0.05;

/** Trains a student on the sentences `training`; those of one seed see the same batches in the same order. */
export function teachStudent(
  { name, createStrategy, labels }: Method,
  { features, languages, teacherLogits }: Lesson,
  training: Int32Array,
  steps: number,
  seed: number,
): Student {
  const classes = LANGUAGE_NAMES.length;
  const strategy = createStrategy();
  const student = new Student(classes);
  const adam = new Adam(0);
  const batches = batchesOf(training, BATCH, new Random(seed, 'batches'));
  const phase = new Phase(`${name}, seed ${seed}`, steps);
  let loss = Number.NaN;
  for (let step = 1; step <= steps; step++) {
    const indices = batches.next().value;
    const sentences = Array.from(indices, (index) => features[index]!);
    const result = strategy.computeLossAndGradient(
      new Matrix(student.forward(sentences), BATCH, classes),
      new Matrix(gatherRows(teacherLogits, classes, indices), BATCH, classes),
      labels ? indices.map((index) => languages[index]!) : undefined,
    );
    const gradient = student.backward(sentences, result.gradient.data);
    adam.step([{ value: student.weights, gradient }], LEARNING_RATE * schedule(step / steps));
    loss = result.loss;
    phase.update(step);
  }
  phase.finish(`last loss ${loss.toFixed(4)}`);
  return student;
}
