import * as tf from '@tensorflow/tfjs';
import {
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  LinearProjection,
  ResponseDistillationStrategy,
} from '../../../src/index.js';
import { values } from '../backends.js';

export const SAMPLES = 40;
export const INPUTS = 6;
export const CLASSES = 4;
const [STUDENT_WIDTH, TEACHER_WIDTH] = [5, 7];

/** A model with one hidden layer, named hidden. */
export function makeModel(
  width: number,
  seed: number,
  between: readonly tf.layers.Layer[] = [],
): tf.Sequential {
  const initializer = (offset: number) => tf.initializers.glorotNormal({ seed: seed + offset });
  const hidden = tf.layers.dense({
    name: 'hidden',
    units: width,
    inputShape: [INPUTS],
    activation: 'tanh',
    kernelInitializer: initializer(1),
  });
  const logits = tf.layers.dense({
    name: 'logits',
    units: CLASSES,
    kernelInitializer: initializer(2),
  });
  return tf.sequential({ layers: [hidden, ...between, logits] });
}

export const makeTeacher = (): tf.Sequential => makeModel(TEACHER_WIDTH, 10);
export const makeStudent = (between?: readonly tf.layers.Layer[]): tf.Sequential =>
  makeModel(STUDENT_WIDTH, 20, between);

export const makeData = (samples: number = SAMPLES): tf.Tensor => values([samples, INPUTS], 1);
export const LABELS: readonly number[] = Array.from({ length: SAMPLES }, (_, i) => i % CLASSES);

export const makeProjection = (): LinearProjection =>
  new LinearProjection(STUDENT_WIDTH, TEACHER_WIDTH, { seed: 3 });

export const makeResponse = (): ResponseDistillationStrategy =>
  new ResponseDistillationStrategy({ temperature: 2, alpha: 0.3 });

/** A hybrid of the outputs and of the layers named hidden. */
export function makeHybrid(
  projection: LinearProjection = makeProjection(),
): HybridDistillationStrategy {
  return new HybridDistillationStrategy([
    { strategy: makeResponse(), weight: 0.6, name: 'response' },
    {
      strategy: new FeatureDistillationStrategy({ projection }),
      weight: 0.4,
      layer: 'hidden',
      name: 'feature',
    },
  ]);
}

/** The values of all weights, also of those that are not trained. */
export async function weightsOf(model: tf.LayersModel): Promise<number[][]> {
  return Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]));
}
