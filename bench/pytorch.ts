import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FloatArray } from 'knowledge-distillation';
import type { Contestant, Failure, Prepared } from './compete.js';
import type { Problem } from './problem.js';

/** Returns the first Python that has PyTorch. */
export function findPython(): string | undefined {
  return ['python3', '/usr/bin/python3'].find(
    (python) => spawnSync(python, ['-c', 'import torch']).status === 0,
  );
}

/** Settings by which the allocator keeps freed buffers, so that no page fault is timed. */
export const KEEP_BUFFERS = {
  MALLOC_TOP_PAD_: '1073741824',
  MALLOC_MMAP_THRESHOLD_: '4294967296',
  MALLOC_TRIM_THRESHOLD_: '4294967296',
};

/** A function of losses.py and its options. */
export interface PyTorchLoss {
  readonly loss: string;
  readonly options: object;
  readonly hasLabels?: boolean;
}

export interface PyTorch {
  /** Name of the contestants that run eagerly. */
  readonly name: string;
  /** Version of PyTorch, and the library that multiplies its matrices. */
  readonly version: string;
  /** Loss and gradient by automatic differentiation. */
  readonly eager: (loss: PyTorchLoss) => Contestant<Problem>;
  readonly compiled: (loss: PyTorchLoss) => Contestant<Problem>;
  /** Starts the compiler and returns the vector instructions that it uses. */
  readonly startCompiler: () => Promise<string>;
  readonly stop: () => void;
}

type Answer = Readonly<Record<string, number | string | null>>;

/** Starts one PyTorch process for all problems; returns `undefined` if PyTorch is not installed. */
export async function startPyTorch(threads: number): Promise<PyTorch | undefined> {
  const python = findPython();
  if (python === undefined) return undefined;
  const script = fileURLToPath(new URL('pytorch.py', import.meta.url));
  // Some libraries for matrix products have a thread pool of their own.
  const env = {
    ...process.env,
    OMP_NUM_THREADS: `${threads}`,
    OPENBLAS_NUM_THREADS: `${threads}`,
    PYTHONWARNINGS: 'ignore',
  };
  const child = spawn(python, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (request: object): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error('PyTorch has stopped');
    return JSON.parse(value);
  };
  const prepare = async (request: object): Promise<Prepared | Failure> => {
    const { id, loss, note, failed } = await ask(request);
    if (typeof failed === 'string') return { failed };
    const run = async (repetitions: number) =>
      Number((await ask({ id, repetitions })).milliseconds);
    const dispose = () => void ask({ drop: id });
    return { loss: Number(loss), run, dispose, ...(typeof note === 'string' && { note }) };
  };
  const name = `PyTorch eager, ${threads} thread${threads === 1 ? '' : 's'}`;
  const contestant =
    (name: string, compile: boolean) =>
    ({ hasLabels = true, ...loss }: PyTorchLoss): Contestant<Problem> => ({
      name,
      prepare: (problem) => prepare({ ...loss, ...inputs(problem, hasLabels), compile }),
    });
  const { version } = await ask({ threads });
  return {
    name,
    version: String(version),
    eager: contestant(name, false),
    compiled: contestant('torch.compile', true),
    startCompiler: async () => String((await ask({ compiler: true })).version),
    stop: () => child.stdin.end(),
  };
}

function inputs({ student, teacher, labels, rows, columns, dtype }: Problem, hasLabels: boolean) {
  const matrix = (data: FloatArray | Int32Array, type: string, ...shape: number[]) => {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return { data: bytes.toString('base64'), dtype: type, shape };
  };
  return {
    student: matrix(student, dtype, rows, columns),
    teacher: matrix(teacher, dtype, rows, columns),
    labels: hasLabels ? matrix(labels, 'int32', rows) : null,
  };
}
