import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';

/**
 * Selects TensorFlow.js on WebAssembly, with a faster gradient of the matrix product; the other
 * gradients are registered already.
 */
export async function startWasm(): Promise<void> {
  tf.registerGradient(matMulGradient);
  await tf.setBackend('wasm');
  await tf.ready();
}

/**
 * The gradient of a matrix product, with operands that are transposed before they are multiplied.
 * TensorFlow.js multiplies operands with transpose flags, which is ten times slower in its wasm
 * backend at the sizes used here.
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
