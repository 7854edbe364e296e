import * as tf from '@tensorflow/tfjs-core';
import { LinearProjection } from 'knowledge-distillation';
import { type DistillHistory, distill } from 'knowledge-distillation/tfjs';
import { Random } from '../shared/random.js';
import type { Digits } from './data.js';
import { chooseStratified, hideLabels, mixedBatches } from './fewLabels.js';
import { PIXELS } from './images.js';
import { METHODS } from './methods.js';
import { ScheduledAdam } from './optimizer.js';
import type { Settings } from './settings.js';
import type { Teacher } from './teacher.js';
import type { Transformer } from './transformer.js';

/** The stages of a training whose losses are printed. */
const EPOCHS = 10;

/**
 * Trains a student by `distill` with the last of the demo's methods, and with the batches, labels
 * and steps that the demo uses for this seed.
 */
export async function distillHybrid(
  student: Transformer,
  teacher: Teacher,
  { images, labels }: Digits,
  { student: { training }, ...settings }: Settings,
  seed: number,
): Promise<DistillHistory> {
  const { batch, labelledPerBatch, labelledPerClass } = settings;
  const known = chooseStratified(labels, labelledPerClass, new Random(seed, 'labelled'));
  const random = new Random(seed, 'batches');
  const mixed = mixedBatches(known, labelledPerBatch, labels.length, batch, random);
  const projection = new LinearProjection(student.config.width, teacher.width, { seed });
  const data = tf.tensor2d(images, [labels.length, PIXELS]);
  const history = await distill(tf, {
    teacher: teacher.recorded.layers,
    student: (batchOfImages) => student.forward(batchOfImages),
    variables: Object.values(student.weights),
    strategy: METHODS.at(-1)!.createStrategy(projection),
    optimizer: new ScheduledAdam(training),
    data,
    labels: hideLabels(labels, known),
    batches: () => Array.from({ length: training.steps / EPOCHS }, () => mixed.next().value),
    epochs: EPOCHS,
  });
  data.dispose();
  return history;
}
