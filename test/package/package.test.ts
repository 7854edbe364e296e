import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

test('the package is MIT, and runs on Node from version 20 on', () => {
  expect(manifest.license).toBe('MIT');
  expect(manifest.engines).toEqual({ node: '>=20' });
});

test('it has no dependency; fast-check and the frameworks are optional peers of their entry points', () => {
  expect(manifest).not.toHaveProperty('dependencies');
  expect(manifest).not.toHaveProperty('optionalDependencies');
  const peers = [
    '@jax-js/jax',
    '@tensorflow/tfjs-core',
    'fast-check',
    'hyparquet',
    'hyparquet-compressors',
    'hyparquet-writer',
  ];
  expect(Object.keys(manifest.peerDependencies)).toEqual(peers);
  expect(manifest.peerDependenciesMeta).toEqual(
    Object.fromEntries(peers.map((name) => [name, { optional: true }])),
  );
});

test('it has no install script', () => {
  const scripts = Object.keys(manifest.scripts);
  const hooks = ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare'];
  expect(scripts.filter((name) => hooks.includes(name))).toEqual([]);
});

test.each(Object.entries(manifest.devDependencies))('%s is pinned: %s', (_, version) => {
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

test('bundlers may drop unused modules', () => {
  expect(manifest.sideEffects).toBe(false);
});

const {
  './package.json': _,
  './wasm/*': modules,
  './worker': worker,
  ...entries
} = manifest.exports;

test.each(Object.entries(entries))('%s has types of its own for import and require', (_, entry) => {
  expect(Object.keys(entry)).toEqual(['import', 'require']);
  for (const condition of Object.values(entry)) {
    // TypeScript uses the first match.
    expect(Object.keys(condition)).toEqual(['types', 'default']);
  }
  expect(entry.import.types).toBe(entry.import.default.replace(/\.js$/, '.d.ts'));
  expect(entry.require.types).toBe(entry.require.default.replace(/\.cjs$/, '.d.cts'));
});

test('modules and the worker are files without types', () => {
  expect(modules).toBe('./dist/wasm/*');
  expect(worker).toBe('./dist/worker.js');
});

const root = join(import.meta.dirname, '../..');
const folders = ['docs', 'examples', 'test', 'tools'].flatMap((parent) =>
  readdirSync(join(root, parent)).map((name) => join(parent, name)),
);
const installing = folders.filter((folder) => existsSync(join(root, folder, 'package.json')));

test.each(['.', ...installing])('the lockfile in %s names no registry', (folder) => {
  const lockfile = readFileSync(join(root, folder, 'package-lock.json'), 'utf8');
  expect(lockfile).not.toContain('"resolved"');
});

test('one more response loss takes less than 40 lines', () => {
  const contributing = readFileSync(new URL('../../CONTRIBUTING.md', import.meta.url), 'utf8');
  const [, strategy = ''] = /^(class [\s\S]*?^})/m.exec(contributing) ?? [];
  const lines = strategy.split('\n').filter((line) => line.trim() !== '');
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.length).toBeLessThan(40);
});
