import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** Where the tests, and the code that they run, find the library and TensorFlow.js. */
export const resolve: { readonly alias: Record<string, string> } = {
  alias: {
    '@tensorflow/tfjs': pathOf('test/support/tensorflow.ts'),
    'knowledge-distillation/testing': pathOf('src/testing/index.ts'),
    'knowledge-distillation/jax': pathOf('src/jax/index.ts'),
    'knowledge-distillation/teachers': pathOf('src/teachers/readers/index.ts'),
    'knowledge-distillation/store': pathOf('src/store/index.ts'),
    'knowledge-distillation/tfjs': pathOf('src/tfjs/index.ts'),
    'knowledge-distillation': pathOf('src/index.ts'),
  },
};

const config: ViteUserConfig = defineConfig({
  test: {
    update: 'none', // but by `npm run api`
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.browser.test.ts', '**/node_modules/**'],
          environment: 'node',
          setupFiles: ['assembly/relaxedSimd.ts', 'test/support/shortStacks.ts'],
          maxWorkers: '100%', // by default, one processor would only wait
          testTimeout: 60_000, // some gradients are checked number by number, on machines that do other work
        },
      },
      {
        extends: true,
        test: {
          name: 'package', // of what `npm run build` left in dist
          include: ['test/package/*.check.ts'],
          environment: 'node',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'duckdb', // of what `npm run test:duckdb` installs
          include: ['test/duckdb/*.check.ts'],
          environment: 'node',
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'runtimes', // of what `npm run test:runtimes` installs
          include: ['test/runtimes/*.check.ts'],
          environment: 'node',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'consumers', // of what `npm run build` left in dist, by what `npm run test:consumers` installs
          include: ['test/consumers/*.check.ts'],
          environment: 'node',
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'site', // of what `npm run site` left in docs/site/dist
          include: ['docs/site/test/*.check.ts'],
          environment: 'node',
          testTimeout: 300_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
  resolve,
});

export default config;
