import '@tensorflow/tfjs-layers'; // registers the gradients: the Node build of tfjs-core has none
import { startWasm } from './wasm.js';

/** TensorFlow.js on WebAssembly in Node, ready to differentiate. */
export async function startBackend(): Promise<void> {
  await startWasm();
}
