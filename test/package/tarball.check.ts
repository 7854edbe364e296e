import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as library from '../../src/index.js';

// The package as users get it: packed, installed into an empty project without network, compiled and run there.

const root = join(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'knowledge-distillation-'));
const consumer = join(scratch, 'consumer');
const installed = join(consumer, 'node_modules/knowledge-distillation');
let tarball = '';
let files: string[] = [];

const inRoot = { cwd: root, encoding: 'utf8' } as const;
const inConsumer = { cwd: consumer, encoding: 'utf8' } as const;

function outputOf({ status, stdout, stderr }: ReturnType<typeof spawnSync>): string {
  expect(status, `${stdout}${stderr}`).toBe(0);
  return `${stdout}`;
}

/** Installs as a user would, and type-checks and compiles one program as both kinds of module. */
function compile(program: string, options = {}): void {
  const source = join(import.meta.dirname, 'consumer', `${program}.ts`);
  const sources = [`${program}.mts`, `${program}.cts`];
  for (const name of sources) cpSync(source, join(consumer, name));
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    module: 'NodeNext',
    target: 'ES2022',
    lib: ['ES2022'],
    types: [],
    rootDir: '.',
    ...options,
  };
  const config = join(consumer, `tsconfig.${program}.json`);
  writeFileSync(config, JSON.stringify({ compilerOptions, files: sources }));
  outputOf(spawnSync('tsc', ['--project', config], inConsumer));
}

beforeAll(() => {
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch];
  const [packed] = JSON.parse(outputOf(spawnSync('npm', pack, inRoot)));
  tarball = join(scratch, packed.filename);
  files = packed.files.map(({ path }: { path: string }) => path);
  cpSync(join(import.meta.dirname, 'consumer/package.json'), join(consumer, 'package.json'));
  outputOf(spawnSync('npm', ['install', '--offline', '--no-save', tarball], inConsumer));
});

afterAll(() => rmSync(scratch, { recursive: true }));

test('publint', () => {
  outputOf(spawnSync('publint', [tarball, '--strict'], inRoot));
});

test('are the types wrong?', () => {
  console.log(outputOf(spawnSync('attw', [tarball, '--profile', 'node16', '--no-emoji'], inRoot)));
});

test('size limits', () => {
  console.log(outputOf(spawnSync('size-limit', [], inRoot)));
});

test('the package holds what was built and what is to be read, and nothing else', () => {
  expect(files).toEqual(expect.arrayContaining(['CHANGELOG.md', 'LICENSE', 'README.md']));
  const allowed =
    /^(package\.json|CHANGELOG\.md|LICENSE|README\.md|dist\/[\w-]+(\.d)?\.(js|cjs|ts|cts))$/;
  expect(files.filter((file) => !allowed.test(file))).toEqual([]);
});

test('it brings no dependency', () => {
  const visible = readdirSync(join(consumer, 'node_modules')).filter(
    (name) => !name.startsWith('.'),
  );
  expect(visible).toEqual(['knowledge-distillation']);
});

test('declarations hold no internals, and nothing that an older TypeScript cannot read', () => {
  const declarations = files.filter((file) => /\.d\.c?ts$/.test(file));
  expect(declarations).not.toEqual([]);
  for (const file of declarations) {
    const text = readFileSync(join(installed, file), 'utf8');
    expect(text, file).not.toMatch(/@internal|Array<ArrayBuffer/);
  }
});

test('both module formats work, without fast-check, TensorFlow.js and jax-js', () => {
  compile('core');
  outputOf(spawnSync('node', ['core.mjs'], inConsumer));
  outputOf(spawnSync('node', ['core.cjs'], inConsumer));
});

/** Gives the consumer a package that is installed here. */
function lend(name: string): void {
  symlinkSync(join(root, 'node_modules', name), join(consumer, 'node_modules', name));
}

test('both entries work together in both module formats', () => {
  lend('fast-check');
  compile('testing');
  outputOf(spawnSync('node', ['testing.mjs'], inConsumer));
  outputOf(spawnSync('node', ['testing.cjs'], inConsumer));
});

test('so does the entry for jax-js', () => {
  lend('@jax-js');
  compile('jax', { skipLibCheck: true }); // the declarations of jax-js need those of browsers
  outputOf(spawnSync('node', ['jax.mjs'], inConsumer));
  outputOf(spawnSync('node', ['jax.cjs'], inConsumer));
});

test('so does the entry for TensorFlow.js', () => {
  lend('@tensorflow');
  compile('tfjs', { skipLibCheck: true }); // the declarations of TensorFlow.js do not stand a check
  outputOf(spawnSync('node', ['tfjs.mjs'], inConsumer));
  outputOf(spawnSync('node', ['tfjs.cjs'], inConsumer));
});

const strategies = Object.keys(library).filter((name) => name.endsWith('DistillationStrategy'));

test.each(strategies)('a bundle of %s holds no other strategy', async (strategy) => {
  const bundle = await build({
    stdin: {
      contents: `export { ${strategy} } from 'knowledge-distillation';`,
      resolveDir: consumer,
    },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const text = bundle.outputFiles[0]!.text;
  expect(strategies.filter((name) => text.includes(name))).toEqual([strategy]);
});
