import { createRequire } from 'node:module';
import { startWasm } from './wasm.js';

/** TensorFlow.js on WebAssembly in Node, ready to differentiate. */
export async function startBackend(): Promise<void> {
  // The Node build of tfjs-core registers no gradients, and this file of it cannot be imported as an ES module.
  createRequire(import.meta.url)('@tensorflow/tfjs-core/dist/register_all_gradients.js');
  await startWasm();
}
