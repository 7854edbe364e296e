// The contestants, as the page names them before their code is loaded.

export const LIBRARIES = ['this library', 'TensorFlow.js', 'jax-js'] as const;

export type Library = (typeof LIBRARIES)[number];

export interface Entry {
  readonly library: Library;
  readonly name: string;
}

/** The first contestant is the one that the others are compared with. */
export const ENTRIES = {
  newGradient: { library: 'this library', name: 'new gradient' },
  outputBuffer: { library: 'this library', name: 'output buffer' },
  arena: { library: 'this library', name: 'arena' },
  threads: { library: 'this library', name: 'arena, threads' },
  scalar: { library: 'this library', name: 'no WebAssembly' },
  tensorflowWasm: { library: 'TensorFlow.js', name: 'wasm' },
  tensorflowWebgl: { library: 'TensorFlow.js', name: 'webgl' },
  jaxWasm: { library: 'jax-js', name: 'wasm' },
  jaxWasmJit: { library: 'jax-js', name: 'wasm, jit' },
  jaxWebgpu: { library: 'jax-js', name: 'webgpu, jit' },
} as const satisfies Record<string, Entry>;

export type Key = keyof typeof ENTRIES;

export const KEYS: readonly Key[] = Object.keys(ENTRIES) as Key[];
