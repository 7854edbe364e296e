// Runs the programs of test/package/consumer with the package under the compilers and runtimes that
// users have.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Consumer, type Program, programs, resolutions } from '../package/consumer.js';
import manifest from './package.json' with { type: 'json' };

const installed = join(import.meta.dirname, 'node_modules');
const names = Object.keys(programs) as Program[];
let consumer: Consumer;

beforeAll(() => {
  consumer = new Consumer();
  for (const name of names) consumer.lend(...programs[name].needs);
});
afterAll(() => consumer.remove());

describe.each(Object.entries(manifest.dependencies))('%s (%s)', (compiler, version) => {
  const tsc = ['node', join(installed, compiler, 'bin/tsc')];

  test('has the version of its folder', () => {
    expect(`npm:typescript@${consumer.run('node', tsc[1]!, '--version').split(' ')[1]}`).toBe(
      `${version}\n`,
    );
  });

  // TypeScript 6 warns of the resolution of Node 10, and TypeScript 7 has dropped it.
  const known = (Object.keys(resolutions) as (keyof typeof resolutions)[]).filter(
    (resolution) => resolution !== 'Node10' || compiler.startsWith('typescript-5'),
  );
  describe.each(known)('%s', (resolution) => {
    test.each(names)('%s', (name) => consumer.compile(name, resolution, tsc));
  });
});

// npm has the runtimes for every system, each in its own package; these are for CI's system.
const here = `${process.platform}-${process.arch}` === 'linux-x64';
if (!here) console.warn('The runtimes were skipped: they are those for Linux on x64');
const { bun, deno, ...nodes } = manifest.optionalDependencies;
const pinned = (specifier: string): string => specifier.slice(specifier.lastIndexOf('@') + 1);

describe.each(Object.entries(nodes))('%s (%s)', (node, specifier) => {
  const binary = join(installed, node, 'bin/node');

  test.runIf(here)('has the version of its folder', () => {
    expect(consumer.run(binary, '--version')).toBe(`v${pinned(specifier)}\n`);
  });

  test.runIf(here).each(names)('%s', (name) => {
    consumer.compile(name, 'NodeNext');
    consumer.run(binary, `${name}.mjs`);
    consumer.run(binary, `${name}.cjs`);
  });
});

describe.each([
  { runtime: 'deno', specifier: deno, command: ['deno/deno', 'run', '--allow-all'] },
  { runtime: 'bun', specifier: bun, command: ['bun/bin/bun'] },
])('$runtime ($specifier)', ({ specifier, command: [file = '', ...args] }) => {
  const binary = join(installed, file);

  test.runIf(here)('has the version of its folder', () => {
    expect(consumer.run(binary, '--version')).toContain(pinned(specifier));
  });

  test.runIf(here)('computes a loss and its gradient, by a kernel and on two threads', () => {
    consumer.add('smoke.mjs');
    expect(consumer.run(binary, ...args, 'smoke.mjs')).toMatch(/^(simd|fma)\n$/);
  });
});
