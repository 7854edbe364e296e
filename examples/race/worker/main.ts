import * as tf from '@tensorflow/tfjs-core';
// The gradients come second, since they read the flags of tfjs-core when they are registered.
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import { answerPages } from '../../../docs/site/offline/loaded.js';
import { startWasm } from '../../digits/wasm.js';
import { Conversation } from './conversation.js';
import type { Report, Request } from './protocol.js';

answerPages();
const conversation = begin();
// The listener is there from the start, since earlier messages would be lost.
addEventListener('message', async ({ data }: MessageEvent<Request>) => {
  try {
    (await conversation).receive(data);
  } catch (error) {
    send({ kind: 'failed', message: String(error) });
  }
});

async function begin(): Promise<Conversation> {
  // With matrices this small, threads would cost more than they gain.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths({
    'tfjs-backend-wasm.wasm': plain,
    'tfjs-backend-wasm-simd.wasm': simd,
    'tfjs-backend-wasm-threaded-simd.wasm': simd,
  });
  await startWasm();
  return new Conversation(send, nextTask);
}

function send(report: Report): void {
  postMessage(report);
}

const { port1, port2 } = new MessageChannel();

/** Resolves after the messages that have arrived. A timer would wait for four milliseconds. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    port1.onmessage = () => resolve();
    port2.postMessage(undefined);
  });
}
