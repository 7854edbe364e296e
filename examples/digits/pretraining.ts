import * as tf from '@tensorflow/tfjs-core';
import { batchesOf } from '../shared/batches.js';
import { Phase } from '../shared/progress.js';
import { Random } from '../shared/random.js';
import { agreement } from '../shared/statistics.js';
import { CLASSES, type Digits } from './data.js';
import { jitter } from './images.js';
import type { Settings } from './settings.js';
import { classify, Trainer } from './training.js';
import { Transformer } from './transformer.js';

/** Trains the teacher on all labels with the loss of TensorFlow.js, without this library. */
export function trainTeacher(training: Digits, heldOut: Digits, settings: Settings): Transformer {
  const [seed = 0] = settings.seeds;
  const { steps } = settings.teacher.training;
  const augmentation = new Random(seed, 'augmentation');
  const all = Int32Array.from(training.labels.keys());
  const model = new Transformer(settings.teacher.model, seed);
  const trainer = new Trainer({
    ...settings.teacher.training,
    model,
    images: training.images,
    batches: batchesOf(all, settings.batch, new Random(seed, 'batches')),
    augment: (images) => jitter(images, augmentation),
    variables: Object.values(model.weights),
    objective: ({ output }, indices) => {
      const labels = tf.tensor1d(
        indices.map((index) => training.labels[index]!),
        'int32',
      );
      const loss = tf.losses.softmaxCrossEntropy(tf.oneHot(labels, CLASSES), output);
      return tf.sum<tf.Scalar>(loss);
    },
  });
  const phase = new Phase('teacher', steps);
  for (let step = 1; step <= steps; step++) {
    trainer.step();
    phase.update(step);
  }
  const accuracy = agreement(classify(model, heldOut), heldOut.labels);
  phase.finish(`${(100 * accuracy).toFixed(1)} % held-out accuracy`);
  return model;
}
