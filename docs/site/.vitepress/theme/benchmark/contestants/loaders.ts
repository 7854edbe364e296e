import type { Key } from '../entries.js';
import type { Prepare } from './contestant.js';

const library = () => import('./library.js');
const tensorflow = () => import('./tensorflow.js');
const jax = () => import('./jax.js');

/** Load the contestants' code. */
export const LOADERS: Readonly<Record<Key, () => Promise<Prepare>>> = {
  newGradient: async () => (await library()).newGradient,
  outputBuffer: async () => (await library()).outputBuffer,
  arena: async () => (await library()).inArena,
  threads: async () => (await library()).onThreads,
  scalar: async () => (await library()).withoutWebAssembly,
  tensorflowWasm: async () => (await tensorflow()).onBackend('wasm'),
  tensorflowWebgl: async () => (await tensorflow()).onBackend('webgl'),
  jaxWasm: async () => (await jax()).onDevice('wasm', false),
  jaxWasmJit: async () => (await jax()).onDevice('wasm', true),
  jaxWebgpu: async () => (await jax()).onDevice('webgpu', true),
};
