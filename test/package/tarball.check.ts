import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportedStrategies } from '../support/exportedStrategies.js';
import { Consumer, outputOf, type Program, programs, root, strategiesIn } from './consumer.js';

// The package as users get it: packed, installed into an empty project without network, compiled and run there.

let consumer: Consumer;
const inRoot = { cwd: root, encoding: 'utf8' } as const;

/** Compiles a program as bundlers have it and as both kinds of module, and runs these. */
function compileAndRun(program: Program): void {
  consumer.lend(...programs[program].needs);
  consumer.compile(program, 'Bundler');
  consumer.compile(program, 'NodeNext');
  consumer.run('node', `${program}.mjs`);
  consumer.run('node', `${program}.cjs`);
}

beforeAll(() => {
  consumer = new Consumer();
});

afterAll(() => consumer.remove());

test('publint', () => {
  outputOf(spawnSync('publint', [consumer.tarball, '--strict'], inRoot));
});

test('are the types wrong?', () => {
  // A worker is started, and not imported.
  const files = ['--exclude-entrypoints', 'worker'];
  const call = [consumer.tarball, '--profile', 'node16', '--no-emoji', ...files];
  console.log(outputOf(spawnSync('attw', call, inRoot)));
});

test('size limits', () => {
  console.log(outputOf(spawnSync('size-limit', [], inRoot)));
});

test('the package holds what was built and what is to be read, and nothing else', () => {
  expect(consumer.files).toEqual(expect.arrayContaining(['CHANGELOG.md', 'LICENSE', 'README.md']));
  const allowed =
    /^(package\.json|CHANGELOG\.md|LICENSE|README\.md|dist\/[\w-]+(\.d)?\.(js|cjs|ts|cts)|dist\/wasm\/\w+\.(simd|fma)\.wasm)$/;
  expect(consumer.files.filter((file) => !allowed.test(file))).toEqual([]);
  expect(consumer.files.filter((file) => file.endsWith('.wasm'))).toHaveLength(8);
});

test('it brings no dependency', () => {
  const visible = readdirSync(join(consumer.folder, 'node_modules')).filter(
    (name) => !name.startsWith('.'),
  );
  expect(visible).toEqual(['knowledge-distillation']);
});

test('declarations hold no internals, and nothing that an older TypeScript cannot read', () => {
  const declarations = consumer.files.filter((file) => /\.d\.c?ts$/.test(file));
  expect(declarations).not.toEqual([]);
  const installed = join(consumer.folder, 'node_modules/knowledge-distillation');
  for (const file of declarations) {
    const text = readFileSync(join(installed, file), 'utf8');
    expect(text, file).not.toMatch(/@internal|Array<ArrayBuffer/);
  }
});

test('both module formats work, without fast-check, TensorFlow.js and jax-js', () => {
  compileAndRun('core');
});

test('both entries work together in both module formats', () => {
  compileAndRun('testing');
});

test('so does the entry for jax-js', () => {
  compileAndRun('jax');
});

test('so does the entry for TensorFlow.js', () => {
  compileAndRun('tfjs');
});

test.each(exportedStrategies())('a bundle of %s holds no other strategy', async (strategy) => {
  const bundle = await build({
    stdin: {
      contents: `export { ${strategy} } from 'knowledge-distillation';`,
      resolveDir: consumer.folder,
    },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const text = bundle.outputFiles[0]!.text;
  expect(strategiesIn(text)).toEqual([strategy]);
});
