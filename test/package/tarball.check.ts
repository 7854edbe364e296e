import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportedStrategies } from '../support/exportedStrategies.js';
import {
  Consumer,
  installed,
  outputOf,
  type Program,
  programs,
  root,
  strategiesIn,
} from './consumer.js';

// Packs the package, installs it into an empty project without network, and compiles and runs
// programs there.

let consumer: Consumer;

/** Runs a command of the packages in the root. */
function runInstalled(command: string, ...args: string[]): string {
  const options = { cwd: root, encoding: 'utf8' } as const;
  return outputOf(spawnSync(join(installed, '.bin', command), args, options));
}

/** Compiles a program as for bundlers and as both kinds of module, and runs the modules. */
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

test('publint reports no problem', () => {
  runInstalled('publint', consumer.tarball, '--strict');
});

test('are-the-types-wrong reports no problem', () => {
  // A worker is started instead of imported.
  const files = ['--exclude-entrypoints', 'worker'];
  console.log(runInstalled('attw', consumer.tarball, '--no-emoji', ...files));
});

test('the package holds the build and its documents, and nothing else', () => {
  expect(consumer.files).toEqual(expect.arrayContaining(['CHANGELOG.md', 'LICENSE', 'README.md']));
  const allowed =
    /^(package\.json|CHANGELOG\.md|LICENSE|README\.md|dist\/[\w-]+(\.d\.c?ts|\.c?js(\.map)?)|dist\/wasm\/\w+\.(simd|fma)\.wasm|src\/[\w/]+\.ts)$/;
  expect(consumer.files.filter((file) => !allowed.test(file))).toEqual([]);
  expect(consumer.files.filter((file) => file.endsWith('.wasm'))).toHaveLength(8);
});

test('its source maps lead to sources in the package', () => {
  const maps = consumer.files.filter((file) => file.endsWith('.map'));
  expect(maps).not.toEqual([]);
  const folder = join(consumer.folder, 'node_modules/knowledge-distillation');
  for (const map of maps) {
    const { sources } = JSON.parse(readFileSync(join(folder, map), 'utf8'));
    const files = sources.map((source: string) => normalize(join(dirname(map), source)));
    expect(consumer.files, map).toEqual(expect.arrayContaining(files));
  }
});

test('it installs no dependency', () => {
  const visible = readdirSync(join(consumer.folder, 'node_modules')).filter(
    (name) => !name.startsWith('.'),
  );
  expect(visible).toEqual(['knowledge-distillation']);
});

test('declarations hold no internals, and no syntax that an older TypeScript cannot read', () => {
  const declarations = consumer.files.filter((file) => /\.d\.c?ts$/.test(file));
  expect(declarations).not.toEqual([]);
  const folder = join(consumer.folder, 'node_modules/knowledge-distillation');
  for (const file of declarations) {
    const text = readFileSync(join(folder, file), 'utf8');
    expect(text, file).not.toMatch(/@internal|Array<ArrayBuffer/);
  }
});

test('the main entry point works as both kinds of module, without any optional package', () => {
  compileAndRun('core');
});

test('gradients are checked without fast-check', () => {
  compileAndRun('gradient');
});

test('the entry point for tests works with the main one as both kinds of module', () => {
  compileAndRun('testing');
});

test('the entry point for replies of servers works with the main one', () => {
  compileAndRun('teachers');
});

test('the entry point for stores works with the main one', () => {
  compileAndRun('store');
});

test('the entry point for jax-js works with the main one', () => {
  compileAndRun('jax');
});

test('the entry point for TensorFlow.js works with the main one', () => {
  compileAndRun('tfjs');
});

test('modules and worker run where a policy forbids code from text', () => {
  consumer.add('files.mjs');
  consumer.run('node', 'files.mjs');
});

/** Returns the download size of an import: bundled, minified, in bytes after brotli. */
async function bundleOf(contents: string): Promise<{ text: string; size: number }> {
  const bundle = await build({
    stdin: { contents, resolveDir: consumer.folder },
    bundle: true,
    minify: true,
    format: 'esm',
    external: ['@tensorflow/*', '@jax-js/*', 'hyparquet*'],
    write: false,
  });
  const { text } = bundle.outputFiles[0]!;
  return { text, size: brotliCompressSync(text).length };
}

/**
 * Maximum bytes of a strategy's code without its kernels; the largest strategy has levels of rows,
 * batches and classes.
 */
const MOST_CODE = 21_000;

test.each(exportedStrategies())(
  'a bundle of %s holds no other strategy, and keeps its size limit',
  async (strategy) => {
    const { text } = await bundleOf(`export { ${strategy} } from 'knowledge-distillation';`);
    expect(strategiesIn(text)).toEqual([strategy]);
    const code = text.replaceAll(/[0-9a-f]{300,}/g, '');
    expect(brotliCompressSync(code).length).toBeLessThanOrEqual(MOST_CODE);
  },
);

const sizes = readFileSync(join(root, 'docs/sizes.md'), 'utf8');
const rows = [...sizes.matchAll(/^\| (.+) \| ([\d.]+) \|$/gm)].map(([, name, kB]) => [name!, +kB!]);

test.each(rows as [string, number][])(
  '%s takes at most %d kB, as docs/sizes.md says',
  async (name, kB) => {
    const [, entry] = /^`(knowledge-distillation.*)`$/.exec(name) ?? [];
    const what = entry || name === 'everything' ? '*' : `{ ${name.replaceAll('`', '')} }`;
    const { size } = await bundleOf(`export ${what} from '${entry ?? 'knowledge-distillation'}';`);
    console.log(`${name}: ${size} bytes`);
    expect(size).toBeLessThanOrEqual(1000 * kB);
    expect(size).toBeGreaterThan(1000 * (kB - 1));
  },
);
