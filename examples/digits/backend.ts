// registers the gradients, which the Node build of tfjs-core lacks
import '@tensorflow/tfjs-layers';
import { startWasm } from './wasm.js';

/** Prepares TensorFlow.js on WebAssembly in Node, with its gradients. */
export async function startBackend(): Promise<void> {
  await startWasm();
}
