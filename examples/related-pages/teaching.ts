import { Matrix } from 'knowledge-distillation';
import { gatherRows } from '../shared/batches.js';
import { Random } from '../shared/random.js';
import { type Features, optimise } from '../shared/training.js';
import { along, mainDirections } from './directions.js';
import type { Method } from './methods.js';
import { ridge } from './ridge.js';
import { WordVectors } from './student.js';
import { featuresOf, type Vocabulary } from './words.js';

/** Width of a word's vector: the number of main directions of the teacher. */
const WIDTH = 64;
const PENALTY = 0.3;

/** Pages for training, with the teacher's embeddings. */
export interface Lesson {
  readonly samples: readonly Features[];
  readonly words: number;
  /** A row for each page. */
  readonly embeddings: Float32Array;
  /** The main directions of the teacher's embeddings. */
  readonly directions: Float64Array;
  /** The embeddings' coordinates along the main directions. */
  readonly targets: Float32Array;
}

export function prepareLesson(
  texts: readonly string[],
  embeddings: Float32Array,
  vocabulary: Vocabulary,
  seed: number,
): Lesson {
  const width = embeddings.length / texts.length;
  const directions = mainDirections(embeddings, width, WIDTH, new Random(seed, 'directions'));
  return {
    samples: texts.map((text) => featuresOf(text, vocabulary)),
    words: vocabulary.size,
    embeddings,
    directions,
    targets: along(embeddings, width, directions),
  };
}

/**
 * Makes a student. Each step uses all pages; `pace` is the fraction of the method's steps that is
 * taken.
 */
export function teachStudent(
  { name, start, lessons }: Method,
  { samples, words, embeddings, targets }: Lesson,
  seed: number,
  pace = 1,
): WordVectors {
  const student =
    start === 'ridge'
      ? new WordVectors(ridge(samples, words, targets, PENALTY), WIDTH)
      : WordVectors.random(words, WIDTH, new Random(seed, 'student'));
  if (!lessons) return student;
  const strategy = lessons.createStrategy();
  const teacher = lessons.teacher === 'whole' ? embeddings : targets;
  const width = teacher.length / samples.length;
  const all = Int32Array.from(samples.keys());
  const { learningRate } = lessons;
  const steps = Math.ceil(pace * lessons.steps);
  optimise(name, all, { steps, batch: all.length, learningRate }, seed, (indices) => {
    const batch = Array.from(indices, (index) => samples[index]!);
    const { loss, gradient } = strategy.computeLossAndGradient(
      new Matrix(student.forward(batch), batch.length, WIDTH),
      new Matrix(gatherRows(teacher, width, indices), batch.length, width),
    );
    const weights = { value: student.weights, gradient: student.backward(batch, gradient.data) };
    return { loss, parameters: [weights] };
  });
  return student;
}
