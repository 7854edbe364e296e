// Threads that help with the rows of an arena: each waits for its share in the memory that all of them have.

import type { KernelName } from './choice.js';
import type { Memory } from './instance.js';

/** The kernels that threads share, by number. Batches of short rows are never large. */
const SHARED = ['response32', 'response64'] as const;

export type SharedKernel = (typeof SHARED)[number];

export function isShared(name: string): name is SharedKernel {
  return SHARED.some((shared) => shared === name);
}

/** A share: the arguments of a kernel, and where its rows are worked on. */
export interface Share {
  readonly kernel: SharedKernel;
  readonly workspace: number;
  readonly rowBytes: number;
  /** Addresses, rows and width, as the kernel takes them. */
  readonly integers: readonly number[];
  /** Temperature, its factor, alpha and scale. */
  readonly doubles: readonly number[];
}

export interface Threads {
  /** How many there are beside the main thread. */
  readonly count: number;
  /** What they run. */
  readonly kernel: KernelName;
  /** Hands each a share, as many as there are threads, runs `own` meanwhile, and returns when all are done; `false` if a thread failed. */
  readonly run: (shares: readonly Share[], own: () => void) => boolean;
  readonly close: () => void;
}

/** In the memory, between the constants of the kernels and the first workspace: what is agreed on, then the shares. */
const CONTROL = 2048;
const SEQUENCE = 0; // of the job
const PENDING = 1; // threads that are not done
const FAILED = 2;
const CLOSED = 3;
const SLOT = 128; // bytes of a share: 16 integers, then doubles
const FIRST_SLOT = 2176;

/** As many as have a slot, and the calling one. */
export const MOST_THREADS = 15;

/** What a thread runs. It is text, since a bundler would not find a file. */
const program = (): string => `
const worker = globalThis.process?.getBuiltinModule?.('node:worker_threads');
const begin = ({ module, memory, slot, names }) => {
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports;
  const control = new Int32Array(memory.buffer, ${CONTROL}, 4);
  const integers = new Int32Array(memory.buffer, slot, 16);
  const doubles = new Float64Array(memory.buffer, slot + 64, 4);
  let sequence = 0;
  let place = '';
  (worker ? worker.parentPort : globalThis).postMessage('ready');
  for (;;) {
    Atomics.wait(control, ${SEQUENCE}, sequence);
    sequence = Atomics.load(control, ${SEQUENCE});
    if (Atomics.load(control, ${CLOSED})) break;
    const [kernel, workspace, rowBytes, ...rest] = integers;
    try {
      if (place !== workspace + ' ' + rowBytes) kernels.place(workspace, rowBytes);
      place = workspace + ' ' + rowBytes;
      kernels[names[kernel]](...rest.slice(0, 7), ...doubles);
    } catch {
      Atomics.store(control, ${FAILED}, 1);
    }
    Atomics.sub(control, ${PENDING}, 1);
  }
};
if (worker) worker.parentPort.once('message', begin);
else globalThis.onmessage = ({ data }) => begin(data);
`;

/** The part of a worker that is used: Node's, or a browser's. */
interface Worker {
  readonly postMessage: (message: unknown) => void;
  readonly terminate: () => unknown;
  readonly on?: (event: string, listener: (value: unknown) => void) => void;
  readonly unref?: () => void;
  onmessage?: ((event: unknown) => void) | null;
  onerror?: ((event: unknown) => void) | null;
}

interface Platform {
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
  readonly Worker?: new (url: string | URL) => Worker;
  readonly Blob?: new (parts: string[], options: { type: string }) => object;
  readonly URL: {
    new (url: string): URL;
    createObjectURL: (blob: object) => string;
    revokeObjectURL: (url: string) => void;
  };
}

/** Starts a thread. */
function spawn(): Worker {
  const { process, Worker, Blob, URL } = globalThis as unknown as Platform;
  const node = process?.getBuiltinModule?.('node:worker_threads') as Platform | undefined;
  if (node?.Worker) {
    return new node.Worker(new URL(`data:text/javascript,${encodeURIComponent(program())}`));
  }
  if (!Worker || !Blob) throw new Error('there are no workers');
  const url = URL.createObjectURL(new Blob([program()], { type: 'text/javascript' }));
  try {
    return new Worker(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Resolves when a thread says that it is ready; rejects when it fails before. */
function ready(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) =>
      reject(error instanceof Error ? error : new Error('a worker failed to start'));
    if (worker.on) {
      worker.on('message', () => resolve());
      worker.on('error', fail);
      worker.on('exit', fail);
    } else {
      worker.onmessage = () => resolve();
      worker.onerror = fail;
    }
  });
}

/** Starts so many threads that run `module` in the shared memory. */
export async function startThreads(
  count: number,
  kernel: KernelName,
  module: object,
  memory: Memory,
): Promise<Threads> {
  const control = new Int32Array(memory.buffer, CONTROL, 4);
  const workers: Worker[] = [];
  let isOpen = true;
  const close = () => {
    isOpen = false;
    Atomics.store(control, CLOSED, 1);
    Atomics.add(control, SEQUENCE, 1);
    Atomics.notify(control, SEQUENCE);
    for (const worker of workers) worker.terminate();
  };
  try {
    for (let i = 0; i < count; i++) {
      const worker = spawn();
      workers.push(worker);
      const started = ready(worker);
      worker.postMessage({ module, memory, slot: FIRST_SLOT + i * SLOT, names: SHARED });
      await started;
      worker.unref?.(); // it must not keep the process alive
    }
  } catch (error) {
    close();
    throw error;
  }
  const run = (shares: readonly Share[], own: () => void): boolean => {
    if (!isOpen) return false;
    shares.forEach(({ kernel: name, workspace, rowBytes, integers, doubles }, i) => {
      const slot = FIRST_SLOT + i * SLOT;
      const place = [SHARED.indexOf(name), workspace, rowBytes, ...integers];
      new Int32Array(memory.buffer, slot, 16).set(place);
      new Float64Array(memory.buffer, slot + 64, 4).set(doubles);
    });
    Atomics.store(control, PENDING, count);
    Atomics.add(control, SEQUENCE, 1);
    Atomics.notify(control, SEQUENCE);
    try {
      own();
    } finally {
      // Spinning, since a page's main thread must not wait; the shares are equal, so that it is not for long.
      while (Atomics.load(control, PENDING) > 0);
    }
    return Atomics.exchange(control, FAILED, 0) === 0;
  };
  return { count, kernel, run, close };
}
