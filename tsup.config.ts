import type { Options } from 'tsup';

const options: Options = {
  entry: {
    index: 'src/index.ts',
    testing: 'src/testing/index.ts',
    jax: 'src/jax/index.ts',
    tfjs: 'src/tfjs/index.ts',
  },
  format: ['esm', 'cjs'],
  dts: true,
  clean: true,
  treeshake: true,
  splitting: true, // one copy of the base class for all entries, in CommonJS too: `instanceof` has to hold
  target: 'es2022',
};

export default options;
