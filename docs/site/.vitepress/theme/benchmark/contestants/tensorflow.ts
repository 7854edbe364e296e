// TensorFlow.js with the loss by hand and automatic differentiation, from plain arrays and back.

import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgl';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import * as tf from '@tensorflow/tfjs-core';
// The gradients come second, since they read the flags of tfjs-core when they are registered.
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { responseLoss } from '../../../../../../bench/tensorflowLoss.js';
import { graphicsCard } from '../machine.js';
import type { Answer, Prepare, Work } from './contestant.js';

tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
setWasmPaths({
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': simd,
});

export function onBackend(backend: 'wasm' | 'webgl'): Prepare {
  return async (work) => {
    const card = backend === 'webgl' ? graphicsCard() : undefined;
    if (backend === 'webgl' && !card) throw new Error('webgl is not available here');
    const select = async () => {
      if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} did not start`);
    };
    await select();
    const note = card ?? '1 thread';
    return { step: () => step(work), select, note };
  };
}

function step({ rows, columns, ...arrays }: Work): Answer {
  let answer: Answer | undefined;
  // The function returns nothing, because tidy would search each element of the array for tensors.
  tf.tidy(() => {
    const student = tf.tensor2d(arrays.student, [rows, columns]);
    const teacher = tf.tensor2d(arrays.teacher, [rows, columns]);
    const oneHot =
      arrays.labels && tf.cast(tf.oneHot(tf.tensor1d(arrays.labels, 'int32'), columns), 'float32');
    const differentiate = tf.valueAndGrad((logits) => responseLoss(logits, teacher, oneHot));
    const { value, grad } = differentiate(student);
    answer = { gradient: grad.dataSync<'float32'>(), loss: value.dataSync()[0]! };
  });
  return answer!;
}
