import * as tf from '@tensorflow/tfjs';
import { hintonLoss } from './hintonLoss.js';

export async function train(): Promise<number[]> {
  const inputs = tf.randomNormal([200, 8], 0, 1, 'float32', 1);
  const teacher = tf.sequential({
    layers: [
      tf.layers.dense({
        units: 32,
        inputShape: [8],
        activation: 'relu',
        kernelInitializer: tf.initializers.heNormal({ seed: 2 }),
      }),
      tf.layers.dense({ units: 5, kernelInitializer: tf.initializers.heNormal({ seed: 3 }) }),
    ],
  });
  const teacherLogits = teacher.predict(inputs) as tf.Tensor;

  const student = tf.sequential({
    layers: [
      tf.layers.dense({
        units: 6,
        inputShape: [8],
        activation: 'tanh',
        kernelInitializer: tf.initializers.glorotNormal({ seed: 4 }),
      }),
      tf.layers.dense({ units: 5, kernelInitializer: tf.initializers.glorotNormal({ seed: 5 }) }),
    ],
  });
  student.compile({
    optimizer: tf.train.adam(0.02),
    loss: hintonLoss,
  });
  const { history } = await student.fit(inputs, teacherLogits, {
    epochs: 20,
    batchSize: 32, // the last batch of an epoch has 8
    shuffle: false,
    verbose: 0,
  });

  tf.dispose([inputs, teacherLogits]);
  teacher.dispose();
  student.dispose();
  return history.loss as number[];
}
