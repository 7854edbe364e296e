import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';

/**
 * TensorFlow.js on WebAssembly, with a matrix product that learns fast; the other gradients are
 * registered already.
 */
export async function startWasm(): Promise<void> {
  tf.registerGradient(matMulGradient);
  await tf.setBackend('wasm');
  await tf.ready();
}

/**
 * The gradient of a matrix product that transposes first and multiplies then. TensorFlow.js
 * multiplies by operands flagged as transposed, which its wasm backend does ten times more slowly
 * at the sizes used here.
 */
const matMulGradient: tf.GradConfig = {
  kernelName: tf.BatchMatMul,
  inputsToSave: ['a', 'b'],
  gradFunc: (upstream, [a, b], { transposeA, transposeB }) => {
    if (Array.isArray(upstream)) throw new TypeError('a matrix product has one output');
    const left = transposeA ? transpose(a!) : a!;
    const right = transposeB ? transpose(b!) : b!;
    return {
      a: () => {
        const gradient = tf.matMul(upstream, transpose(right));
        return transposeA ? transpose(gradient) : gradient;
      },
      b: () => {
        const gradient = tf.matMul(transpose(left), upstream);
        return transposeB ? transpose(gradient) : gradient;
      },
    };
  },
};

/** Swaps the last two axes. */
function transpose(tensor: tf.Tensor): tf.Tensor {
  const axes = [...tensor.shape.keys()];
  return tf.transpose(tensor, [...axes.slice(0, -2), tensor.rank - 1, tensor.rank - 2]);
}
