import * as tf from '@tensorflow/tfjs-core';
import { batchesOf } from '../shared/batches.js';
import { Phase } from '../shared/progress.js';
import { Random } from '../shared/random.js';
import { agreement } from '../shared/statistics.js';
import { CLASSES, type Digits, jitter } from './data.js';
import { RecordedOutputs } from './recorded.js';
import type { Settings } from './settings.js';
import { classify, train } from './training.js';
import { Transformer } from './transformer.js';

export interface Teacher {
  readonly width: number;
  readonly parameters: number;
  readonly accuracy: number;
  readonly heldOutClasses: Int32Array;
  /** What it says about the training images. */
  readonly recorded: RecordedOutputs;
}

/** Trains the teacher on all labels with the loss of TensorFlow.js: it owes nothing to the library. */
export function trainTeacher(training: Digits, heldOut: Digits, settings: Settings): Teacher {
  const [seed = 0] = settings.seeds;
  const augmentation = new Random(seed, 'augmentation');
  const all = Int32Array.from(training.labels.keys());
  const model = new Transformer(settings.teacher.model, seed);
  const phase = new Phase('teacher', settings.teacher.training.steps);
  train({
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
    onStep: (step) => phase.update(step),
  });
  const heldOutClasses = classify(model, heldOut);
  const accuracy = agreement(heldOutClasses, heldOut.labels);
  phase.finish(`${(100 * accuracy).toFixed(1)} % held-out accuracy`);
  const { parameterCount: parameters } = model;
  const recorded = new RecordedOutputs(model, training.images);
  model.dispose();
  return { width: settings.teacher.model.width, parameters, accuracy, heldOutClasses, recorded };
}
