import { ResponseDistillationStrategy } from 'knowledge-distillation';
import type { TeacherBatch, TeacherStore } from 'knowledge-distillation/store';
import { Adam } from '../shared/adam.js';
import { Phase } from '../shared/progress.js';
import { Random } from '../shared/random.js';
import { schedule } from '../shared/schedule.js';
import { mostLikely } from '../shared/statistics.js';
import {
  countLabels,
  type TokenBatch,
  TokenStudent,
  type TokenStudentSize,
} from '../shared/tokenStudent.js';
import type { Method } from './methods.js';

export interface Pace {
  readonly epochs: number;
  /** Maximum number of rows of a step. */
  readonly rows: number;
  readonly learningRate: number;
}

/** Throws unless a batch has tokens, labels and targets, as text has. */
export function textOf({ offsets, tokens, labels, targets }: TeacherBatch): TokenBatch {
  if (tokens === undefined || labels === undefined || targets === undefined) {
    throw new Error('the store holds no text');
  }
  return { offsets, tokens, labels, targets };
}

/** Trains a student from a store. Each epoch visits all rows in another order. */
export async function trainStudent(
  { name, createStrategy }: Method,
  store: TeacherStore,
  size: Omit<TokenStudentSize, 'vocabulary'>,
  { epochs, rows, learningRate }: Pace,
  seed: number,
): Promise<TokenStudent> {
  const vocabulary = store.description.columns!;
  const student = new TokenStudent({ ...size, vocabulary }, new Random(seed, 'student'));
  const strategy = createStrategy();
  const adam = new Adam(0);
  const total = epochs * store.size.rows;
  const phase = new Phase(name, total);
  let done = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for await (const batch of store.batches({ rows, seed: seed + epoch })) {
      const evaluation = student.evaluate(strategy, textOf(batch));
      const parameters = student.parameters.map(({ data }, i) => ({
        value: data,
        gradient: evaluation.gradients[i]!,
      }));
      done += batch.tokens!.length;
      adam.step(parameters, learningRate * schedule(done / total));
      phase.update(done);
    }
  }
  phase.finish('done'); // the losses of two methods are not comparable
  return student;
}

export interface Scores {
  /** Cross-entropy of the held-out words, in nats per word. */
  readonly crossEntropy: number;
  /**
   * Fraction of the held-out words for which student and teacher have the same most likely word.
   */
  readonly agreement: number;
}

/** Evaluates a student on a store of held-out documents. */
export async function judge(student: TokenStudent, heldOut: TeacherStore): Promise<Scores> {
  const likelihood = new ResponseDistillationStrategy({ temperature: 1, alpha: 1 });
  let [words, surprisal, agreeing] = [0, 0, 0];
  for await (const batch of heldOut.batches({ rows: 512 })) {
    const text = textOf(batch);
    const logits = student.logits(text);
    surprisal += likelihood.computeLoss(logits, text.targets, text.labels, { normalizer: 1 });
    words += countLabels(text);
    const choices = mostLikely(logits.data, logits.columns);
    agreeing += choices.filter((choice, row) => choice === firstOf(text.targets, row)).length;
  }
  return { crossEntropy: surprisal / words, agreement: agreeing / words };
}

/** Returns the teacher's most likely class of a row, which readers put first. */
function firstOf({ indices, values }: TokenBatch['targets'], row: number): number {
  return indices[row * values.columns]!;
}
