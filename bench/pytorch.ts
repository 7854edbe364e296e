import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Contestant } from './problem.js';

/** The first Python that has PyTorch. */
export function findPython(): string | undefined {
  return ['python3', '/usr/bin/python3'].find(
    (python) => spawnSync(python, ['-c', 'import torch']).status === 0,
  );
}

/** Has the allocator keep freed buffers, so that nobody is timed on page faults. */
export const KEEP_BUFFERS = {
  MALLOC_TOP_PAD_: '1073741824',
  MALLOC_MMAP_THRESHOLD_: '4294967296',
  MALLOC_TRIM_THRESHOLD_: '4294967296',
};

/** PyTorch eager in a process of its own, one for all problems; `undefined` where it is not installed. */
export function startPyTorch(threads: number): Contestant | undefined {
  const python = findPython();
  if (python === undefined) return undefined;
  const script = fileURLToPath(new URL('pytorch.py', import.meta.url));
  const child: ChildProcess = spawn(python, [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const ask = async (request: object): Promise<Record<string, number>> => {
    child.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error('PyTorch has stopped');
    return JSON.parse(value);
  };
  return {
    name: `PyTorch eager, ${threads} thread${threads === 1 ? '' : 's'}`,
    prepare: async ({ rows, columns, dtype }) => {
      const { loss = Number.NaN } = await ask({ rows, columns, dtype, threads });
      const run = async (repetitions: number) => {
        const { milliseconds = Number.NaN } = await ask({ repetitions });
        return milliseconds;
      };
      return { loss, run };
    },
    stop: () => child.stdin!.end(),
  };
}
