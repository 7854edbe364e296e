import { mkdirSync, writeFileSync } from 'node:fs';
import type { Options } from 'tsup';
import { DIVERGENCES } from './src/engine/binaries/divergences.js';
import { NUMBERS } from './src/engine/binaries/numbers.js';
import { PRODUCTS } from './src/engine/binaries/products.js';
import { RESPONSE } from './src/engine/binaries/response.js';
import { labeledBytes } from './src/engine/compile.js';
import { threadProgram } from './src/engine/threadProgram.js';

/** Writes what is imported as a file where nothing can be compiled or started from text: modules, and a worker. */
async function writeFiles(): Promise<void> {
  mkdirSync('dist/wasm', { recursive: true });
  for (const binary of [RESPONSE, DIVERGENCES, NUMBERS, PRODUCTS]) {
    for (const kernel of ['simd', 'fma'] as const) {
      writeFileSync(`dist/wasm/${binary.name}.${kernel}.wasm`, labeledBytes(binary, kernel));
    }
  }
  writeFileSync('dist/worker.js', threadProgram());
}

const options: Options = {
  entry: {
    index: 'src/index.ts',
    testing: 'src/testing/index.ts',
    jax: 'src/jax/index.ts',
    teachers: 'src/teachers/readers/index.ts',
    tfjs: 'src/tfjs/index.ts',
    store: 'src/store/index.ts',
  },
  format: ['esm', 'cjs'],
  dts: true,
  sourcemap: true,
  esbuildOptions: (options) => {
    options.sourcesContent = false; // the package has the sources as files, once for both formats
  },
  clean: true,
  treeshake: true,
  splitting: true, // one copy of the base class for all entries, in CommonJS too: `instanceof` has to hold
  target: 'es2022',
  onSuccess: writeFiles,
};

export default options;
