import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { type Contestant, prepared } from './compete.js';
import { ALPHA, type Problem, TEMPERATURE } from './problem.js';

/** TensorFlow.js on one of its backends, by its automatic differentiation; the gradient is read back. */
export const tensorflow = (backend: 'wasm' | 'cpu'): Contestant<Problem> => ({
  name: `TensorFlow.js, ${backend}`,
  prepare: async ({ student, teacher, labels, rows, columns, dtype }) => {
    if (dtype !== 'float32') return undefined; // it has no doubles
    // The Node build of tfjs-core registers no gradients, and this file of it cannot be imported as an ES module.
    createRequire(import.meta.url)('@tensorflow/tfjs-core/dist/register_all_gradients.js');
    await tf.setBackend(backend);
    const students = tf.tensor2d(Float32Array.from(student), [rows, columns]);
    const teachers = tf.tensor2d(Float32Array.from(teacher), [rows, columns]);
    const oneHot = tf.tidy(() =>
      tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), columns), 'float32'),
    );
    const differentiate = tf.valueAndGrad((logits: tf.Tensor) => {
      const logP = tf.logSoftmax(tf.div(teachers, TEMPERATURE));
      const logQ = tf.logSoftmax(tf.div(logits, TEMPERATURE));
      const soft = tf.sum(tf.mul(tf.exp(logP), tf.sub(logP, logQ)));
      const hard = tf.neg(tf.sum(tf.mul(oneHot, tf.logSoftmax(logits))));
      const sum = tf.add(tf.mul(soft, (1 - ALPHA) * TEMPERATURE ** 2), tf.mul(hard, ALPHA));
      return tf.div(sum, rows);
    });
    const step = () =>
      tf.tidy(() => {
        const { value, grad } = differentiate(students);
        grad.dataSync();
        return value.dataSync()[0] ?? Number.NaN;
      });
    const { run, ...rest } = await prepared(step, () => tf.dispose([students, teachers, oneHot]));
    const runHere = async (repetitions: number) => {
      await tf.setBackend(backend);
      return run(repetitions);
    };
    return { ...rest, run: runHere };
  },
});
