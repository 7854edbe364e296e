// Bundles the package with the bundlers that users have. Each bundle must run, compute the same
// numbers, and hold one strategy only.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import * as esbuild from 'esbuild';
import { rollup } from 'rollup';
import * as vite from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import webpack from 'webpack';
import { Consumer, strategiesIn } from './consumer.js';

/**
 * Maximum size of a minified bundle after brotli, in bytes: the download of a page with one loss.
 */
const LIMITS = {
  ResponseDistillationStrategy: 28_000,
  FeatureDistillationStrategy: 23_500,
};

let consumer: Consumer;

beforeAll(() => {
  consumer = new Consumer();
});
afterAll(() => consumer.remove());

/** Bundlers. Each bundles the program at `input` into a minified ES module at `output`. */
const bundlers = {
  async esbuild(input: string, output: string): Promise<void> {
    const options = { bundle: true, minify: true, format: 'esm' } as const;
    await esbuild.build({ ...options, entryPoints: [input], outfile: output });
  },

  async vite(input: string, output: string): Promise<void> {
    await vite.build({
      root: consumer.folder,
      configFile: false,
      logLevel: 'warn',
      build: {
        outDir: dirname(output),
        emptyOutDir: false,
        modulePreload: false,
        rolldownOptions: { input, output: { entryFileNames: basename(output) } },
      },
    });
  },

  async rollup(input: string, output: string): Promise<void> {
    const bundle = await rollup({
      input,
      plugins: [nodeResolve()],
      onwarn: ({ message }) => {
        throw new Error(message);
      },
    });
    const { output: chunks } = await bundle.generate({ format: 'es' });
    await bundle.close();
    // Rollup has no minifier of its own.
    const { code } = await esbuild.transform(chunks[0].code, { minify: true });
    writeFileSync(output, code);
  },

  async webpack(input: string, output: string): Promise<void> {
    const compiler = webpack({
      mode: 'production',
      context: consumer.folder,
      entry: input,
      experiments: { outputModule: true },
      output: {
        path: dirname(output),
        filename: basename(output),
        library: { type: 'module' },
      },
    });
    await new Promise<void>((resolve, reject) => {
      compiler.run((error, stats) => {
        const wrong = error ?? (stats?.hasErrors() || stats?.hasWarnings());
        if (wrong) reject(new Error(stats?.toString('errors-warnings') ?? `${error}`));
        else resolve();
      });
    });
    await new Promise((resolve) => compiler.close(resolve));
  },
};

describe.each(Object.entries(LIMITS))('%s', (strategy, limit) => {
  const program = `
    import { float64, Matrix, ${strategy} } from 'knowledge-distillation';
    const matrix = (rows) => Matrix.fromRows(rows, float64);
    const student = matrix([[0.5, -1, 2], [1, 0, 3]]);
    const { loss, gradient } = new ${strategy}()
      .computeLossAndGradient(student, matrix([[1, 0, 1], [0, 2, -1]]));
    console.log(JSON.stringify([loss, ...gradient.data]));`;
  let unbundled = '';
  let input = '';

  beforeAll(() => {
    input = join(consumer.folder, `${strategy}.mjs`);
    writeFileSync(input, program);
    unbundled = consumer.run('node', input);
    expect(JSON.parse(unbundled)[0]).toBeGreaterThan(0);
  });

  test.each(Object.entries(bundlers))('%s', async (bundler, bundle) => {
    const folder = join(consumer.folder, bundler);
    mkdirSync(folder, { recursive: true });
    const output = join(folder, `${strategy}.mjs`);
    await bundle(input, output);
    expect(consumer.run('node', output)).toBe(unbundled);

    const text = readFileSync(output, 'utf8');
    const imports = /(?:from|import|require)\s*\(?\s*["'`]knowledge-distillation/;
    // messages may contain the package's name
    expect(text, 'it is self-contained').not.toMatch(imports);
    expect(strategiesIn(text)).toEqual([strategy]);
    const size = brotliCompressSync(text).length;
    console.log(`${strategy} by ${bundler}: ${size} bytes`);
    expect(size).toBeLessThanOrEqual(limit);
  });
});
