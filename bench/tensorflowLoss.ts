import * as tf from '@tensorflow/tfjs-core';
import { ALPHA, TEMPERATURE } from './problem.js';

/** The response loss by hand, of TensorFlow.js operations. Without labels, it is the soft loss. */
export function responseLoss(
  student: tf.Tensor,
  teacher: tf.Tensor,
  oneHot?: tf.Tensor,
): tf.Tensor {
  const rows = student.shape[0]!;
  const logP = tf.logSoftmax(tf.div(teacher, TEMPERATURE));
  const logQ = tf.logSoftmax(tf.div(student, TEMPERATURE));
  const divergence = tf.sum(tf.mul(tf.exp(logP), tf.sub(logP, logQ)));
  const soft = tf.mul(divergence, TEMPERATURE ** 2);
  if (!oneHot) return tf.div(soft, rows);
  const hard = tf.neg(tf.sum(tf.mul(oneHot, tf.logSoftmax(student))));
  return tf.div(tf.add(tf.mul(soft, 1 - ALPHA), tf.mul(hard, ALPHA)), rows);
}
