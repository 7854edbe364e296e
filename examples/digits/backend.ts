import '@tensorflow/tfjs'; // for its gradients: the Node build of tfjs-core registers none
import { startWasm } from './wasm.js';

/** TensorFlow.js on WebAssembly in Node, ready to differentiate. */
export async function startBackend(): Promise<void> {
  await startWasm();
}
