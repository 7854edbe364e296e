import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Contestant } from './compete.js';
import type { Problem } from './problem.js';
import type { Relations } from './relations.js';

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

export interface PyTorch {
  readonly name: string;
  /** Its version, and who multiplies its matrices. */
  readonly version: string;
  readonly response: Contestant<Problem>;
  readonly relations: Contestant<Relations>;
  readonly stop: () => void;
}

/** PyTorch eager in a process of its own, one for all problems; `undefined` where it is not installed. */
export async function startPyTorch(threads: number): Promise<PyTorch | undefined> {
  const python = findPython();
  if (python === undefined) return undefined;
  const script = fileURLToPath(new URL('pytorch.py', import.meta.url));
  // Of the libraries that multiply matrices, some have threads of their own.
  const env = { ...process.env, OMP_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}` };
  const child = spawn(python, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (request: object): Promise<Record<string, number | string>> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error('PyTorch has stopped');
    return JSON.parse(value);
  };
  const take = async (problem: object) => {
    const { loss } = await ask({ ...problem, threads });
    const run = async (repetitions: number) => Number((await ask({ repetitions })).milliseconds);
    return { loss: Number(loss), run };
  };
  const name = `PyTorch eager, ${threads} thread${threads === 1 ? '' : 's'}`;
  const { version } = await ask({ threads });
  return {
    name,
    version: String(version),
    response: {
      name,
      prepare: ({ rows, columns, dtype }) => take({ loss: 'response', rows, columns, dtype }),
    },
    relations: {
      name,
      prepare: ({ loss, rows, columns }) => take({ loss, rows, columns, dtype: 'float32' }),
    },
    stop: () => child.stdin.end(),
  };
}
