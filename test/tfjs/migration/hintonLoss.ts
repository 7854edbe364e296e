import * as tf from '@tensorflow/tfjs';

const temperature = 4;

/**
 * T² · KL(teacher ‖ student) of softened distributions, mean over the batch, as operations of
 * TensorFlow.js.
 */
export function hintonLoss(yTrue: tf.Tensor, yPred: tf.Tensor): tf.Scalar {
  const logP = tf.logSoftmax(tf.div(yTrue, temperature));
  const logQ = tf.logSoftmax(tf.div(yPred, temperature));
  const rows = tf.sum(tf.mul(tf.exp(logP), tf.sub(logP, logQ)), -1);
  return tf.mul(tf.mean(rows), temperature ** 2);
}
