// These tests run in Node only. Rows beyond the end of the memory make a thread fail.

import { Worker } from 'node:worker_threads';
import { expect, test, vi } from 'vitest';
import { RESPONSE } from '../../src/engine/binaries/response.js';
import { kernelInfo } from '../../src/engine/choice.js';
import { fixedMemory } from '../../src/engine/compile.js';
import type { Kernel } from '../../src/engine/instance.js';
import { threadProgram } from '../../src/engine/threadProgram.js';
import { startThreads } from '../../src/engine/threads.js';
import { type Matrix, MatrixArena, ResponseDistillationStrategy } from '../../src/index.js';

const { kernel } = kernelInfo();
if (kernel === 'scalar') throw new Error('there is no SIMD here');

const forward: Kernel = { binary: RESPONSE, name: 'forward32' };
const start = () =>
  startThreads({
    count: 1,
    kernel,
    memory: fixedMemory(65_536 * 4, true),
    namesOf: () => ['forward32', 'forward64'],
  });

/** A call without rows, whose description is all that the threads read. */
const share = { workspace: 131_072, first: 0, count: 0 };

test('a failure of a thread is reported, and the thread evaluates the next call', async () => {
  const threads = await start();
  let own = 0;
  const compute = () => {
    own++;
  };
  expect(threads.run(forward, 2 ** 30, [share], compute)).toBe(false);
  expect(threads.run(forward, 4096, [share], compute)).toBe(true);
  expect(own).toBe(2);
  threads.close();
  expect(threads.run(forward, 4096, [share], compute)).toBe(false);
  expect(own).toBe(2);
});

test('a failure on the main thread is reported after all threads have finished', async () => {
  const threads = await start();
  expect(() =>
    threads.run(forward, 4096, [share], () => {
      throw new Error('own share');
    }),
  ).toThrow('own share');
  expect(threads.run(forward, 4096, [share], () => {})).toBe(true);
  threads.close();
});

const program = `data:text/javascript,${encodeURIComponent(threadProgram())}`;

test('a worker that the caller passes evaluates', async () => {
  const createWorker = vi.fn(() => new Worker(new URL(program)));
  const arena = await MatrixArena.withThreads(4 << 20, 2, { createWorker });
  expect(createWorker).toHaveBeenCalledTimes(1);
  const [student, teacher, gradient] = [0, 1, 2].map(() => arena.zeros(256, 512)) as [
    Matrix,
    Matrix,
    Matrix,
  ];
  student.data.forEach((_, i) => {
    student.data[i] = 4 * Math.sin(3 * i);
    teacher.data[i] = 4 * Math.cos(2 * i);
  });
  const strategy = new ResponseDistillationStrategy();
  const alone = strategy.computeLossAndGradient(student.clone(), teacher.clone());
  const together = strategy.computeLossAndGradient(student, teacher, undefined, { gradient });
  expect(arena.threads).toBe(2);
  expect(together.loss).toBe(alone.loss);
  expect(gradient.data).toEqual(alone.gradient.data);
  arena.close();
});

let shared: Worker | undefined;

test.each([
  [
    'throws',
    { code: 'UNAVAILABLE' },
    () => {
      throw new Error('no workers here');
    },
  ],
  ['returns nothing', { code: 'WRONG_TYPE' }, () => undefined as unknown as object],
  ['returns no worker', { code: 'WRONG_TYPE' }, () => ({})],
  [
    'returns the same again',
    { code: 'OUT_OF_RANGE' },
    () => {
      shared ??= new Worker(new URL(program));
      return shared;
    },
  ],
  [
    'runs another program',
    { code: 'UNAVAILABLE' },
    () => new Worker(new URL('data:text/javascript,')),
  ],
])('a createWorker that %s is refused', async (_, expected, createWorker) => {
  const arena = MatrixArena.withThreads(1 << 20, 3, { createWorker });
  await expect(arena).rejects.toMatchObject(expected);
});

test('createWorker may return a promise', async () => {
  const createWorker = async () => new Worker(new URL(program));
  const arena = await MatrixArena.withThreads(1 << 20, 2, { createWorker });
  expect(arena.threads).toBe(2);
  arena.close();
});

test('a worker that never answers is reported after a time limit', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const silent = new URL('data:text/javascript,setInterval(() => {}, 1000)');
  const arena = MatrixArena.withThreads(1 << 20, 2, { createWorker: () => new Worker(silent) });
  const refused = expect(arena).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await vi.advanceTimersByTimeAsync(10_000);
  await refused;
  vi.useRealTimers();
});
