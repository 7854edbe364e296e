// Not in a browser: what a thread does wrong is made up here by a memory that is too small for its work.

import { expect, test } from 'vitest';
import { kernelInfo, moduleOf } from '../../src/engine/choice.js';
import { fixedMemory } from '../../src/engine/instance.js';
import { type Share, startThreads } from '../../src/engine/threads.js';

const { kernel } = kernelInfo();
if (kernel === 'scalar') throw new Error('there is no SIMD here');
const module = moduleOf(kernel, true);

function share(workspace: number): Share {
  return {
    kernel: 'response32',
    workspace,
    rowBytes: 16,
    integers: [4096, 4096, 0, 0, 60_000, 1, 16],
    doubles: [1, 1, 0, 1],
  };
}

test('a thread that fails is reported, and goes on with the next share', async () => {
  const memory = fixedMemory(65_536 * 2, true);
  const threads = await startThreads(1, kernel, module, memory);
  let own = 0;
  const compute = () => {
    own++;
  };
  expect(threads.run([share(2 ** 31)], compute)).toBe(false);
  expect(threads.run([share(8192)], compute)).toBe(true);
  expect(own).toBe(2);
  threads.close();
  expect(threads.run([share(8192)], compute)).toBe(false);
  expect(own).toBe(2);
});

test('what fails on the main thread is waited for all the same', async () => {
  const threads = await startThreads(1, kernel, module, fixedMemory(65_536 * 2, true));
  expect(() =>
    threads.run([share(8192)], () => {
      throw new Error('own share');
    }),
  ).toThrow('own share');
  expect(threads.run([share(8192)], () => {})).toBe(true);
  threads.close();
});
