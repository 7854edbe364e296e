import * as tf from '@tensorflow/tfjs-core';
// The gradients come second, since they read the flags of tfjs-core when they are registered.
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import { startWasm } from '../../digits/wasm.js';
import { decodeDigits } from '../assets/encoding.js';
import heldOut from '../assets/held-out.bin?url';
import teacher from '../assets/teacher.bin?url';
import training from '../assets/training.bin?url';
import { type Classroom, openClassroom } from './classroom.js';
import { Conversation } from './conversation.js';
import type { Report, Request } from './protocol.js';

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
  return new Conversation(await loadClassroom(), send, nextTask);
}

async function loadClassroom(): Promise<Classroom> {
  const [weights, seen, unseen] = await Promise.all([
    load(teacher),
    load(training).then(inflate),
    load(heldOut).then(inflate),
    startTensorFlow(),
  ]);
  return openClassroom(new Float32Array(weights), {
    training: decodeDigits(new Uint8Array(seen)),
    heldOut: decodeDigits(new Uint8Array(unseen)),
  });
}

async function startTensorFlow(): Promise<void> {
  // With matrices this small, threads would cost more than they gain.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths({
    'tfjs-backend-wasm.wasm': plain,
    'tfjs-backend-wasm-simd.wasm': simd,
    'tfjs-backend-wasm-threaded-simd.wasm': simd,
  });
  await startWasm();
}

async function load(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} could not be loaded: ${response.status}`);
  return await response.arrayBuffer();
}

async function inflate(bytes: ArrayBuffer): Promise<ArrayBuffer> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return await new Response(stream).arrayBuffer();
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
