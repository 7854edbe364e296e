// Threads that compute shares of the rows in an arena. Each thread waits, in the shared memory, for
// its share.

import { refuse, throwType } from '../core/errors.js';
import { type Binary, bytesOf, type CompiledKernel, type Memory } from './compile.js';
import type { Kernel } from './instance.js';
import { CONTROL } from './layout.js';
import {
  CLOSED,
  FAILED,
  FIRST_SLOT,
  MODULE_BYTES,
  PENDING,
  SEQUENCE,
  SLOT,
  threadProgram,
} from './threadProgram.js';

/** Rows of a call that one thread computes. */
export interface Share {
  /** Address of the workspace of the thread. */
  readonly workspace: number;
  readonly first: number;
  readonly count: number;
}

/** Running threads of an arena. */
export interface Threads {
  /** Number of threads beside the calling thread. */
  readonly count: number;
  /** The kernel that the threads run. */
  readonly kernel: CompiledKernel;
  /**
   * Gives each thread its share, runs `own` in the calling thread, and returns when all have
   * finished; false if a thread failed.
   */
  readonly run: (
    kernel: Kernel,
    call: number,
    shares: readonly Share[],
    own: () => void,
  ) => boolean;
  readonly close: () => void;
}

/** Largest number of threads, including the calling thread. */
export const MAX_THREADS = 15;

/**
 * Bytes of the buffer through which threads receive a module: 128 KiB; the largest module has 46
 * KB.
 */
const MAILBOX_BYTES = 131072;

/** The part of a worker of Node or of a browser that the engine uses. */
export interface ThreadWorker {
  readonly postMessage: (message: unknown) => void;
  readonly terminate: () => unknown;
  readonly on?: (event: string, listener: (value: unknown) => void) => void;
  readonly unref?: () => void;
  onmessage?: ((event: unknown) => void) | null;
  onerror?: ((event: unknown) => void) | null;
}

interface Platform {
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
  readonly Worker?: new (url: string | URL) => ThreadWorker;
  readonly Blob?: new (parts: string[], options: { type: string }) => object;
  readonly setTimeout: (call: () => void, milliseconds: number) => unknown;
  readonly clearTimeout: (timer: unknown) => void;
  readonly URL: {
    new (url: string): URL;
    createObjectURL: (blob: object) => string;
    revokeObjectURL: (url: string) => void;
  };
}

/** Creates a worker from the text of its program. */
function spawn(): ThreadWorker {
  const { process, Worker, Blob, URL } = globalThis as unknown as Platform;
  const node = process?.getBuiltinModule?.('node:worker_threads') as Platform | undefined;
  if (node?.Worker) {
    return new node.Worker(new URL(`data:text/javascript,${encodeURIComponent(threadProgram())}`));
  }
  if (!Worker || !Blob) throw new Error('there are no workers');
  const url = URL.createObjectURL(new Blob([threadProgram()], { type: 'text/javascript' }));
  try {
    return new Worker(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Time in which a worker has to report that it is ready. */
const START_TIMEOUT_MS = 10_000;

/**
 * Resolves when a worker reports that it is ready; rejects if it fails, or reports nothing in time.
 */
function ready(worker: ThreadWorker): Promise<void> {
  const { setTimeout, clearTimeout } = globalThis as unknown as Platform;
  let timer: unknown;
  const started = new Promise<void>((resolve, reject) => {
    const silence = 'a worker does not answer: does it run knowledge-distillation/worker?';
    timer = setTimeout(() => reject(new Error(silence)), START_TIMEOUT_MS);
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
  return started.finally(() => clearTimeout(timer));
}

/** Arguments of {@link startThreads}. */
export interface ThreadStart {
  /** Number of threads beside the calling thread. */
  readonly count: number;
  readonly kernel: CompiledKernel;
  readonly memory: Memory;
  /** Returns the names of the exports of a binary, in the order of the exports. */
  readonly namesOf: (binary: Binary) => readonly string[];
  /** Creates a worker that runs the program of a thread; by default the text of the program. */
  readonly createWorker?: (() => unknown) | undefined;
}

/** Throws unless `worker` is a worker, and none of the others. */
function checkWorker(worker: unknown, others: readonly ThreadWorker[]): ThreadWorker {
  const argument = 'createWorker';
  const expected = 'return a new Worker';
  const received = worker as ThreadWorker | undefined;
  const isWorker = [received?.postMessage, received?.terminate].every(
    (method) => typeof method === 'function',
  );
  if (!isWorker) throwType('MatrixArena.withThreads', argument, expected, worker);
  if (others.includes(received!)) {
    refuse('OUT_OF_RANGE', 'MatrixArena.withThreads', argument, expected, 'the same again');
  }
  return received!;
}

/** Starts threads that run kernels in the shared memory. */
export async function startThreads({
  count,
  kernel,
  memory,
  namesOf,
  createWorker = spawn,
}: ThreadStart): Promise<Threads> {
  const control = new Int32Array(memory.buffer, CONTROL, 16);
  const mailbox = new SharedArrayBuffer(MAILBOX_BYTES);
  const workers: ThreadWorker[] = [];
  /**
   * Binaries that the threads have loaded: index of the binary, and names of its exports in order.
   */
  const loaded = new Map<string, { readonly index: number; readonly names: readonly string[] }>();
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
      const worker = checkWorker(await createWorker(), workers);
      workers.push(worker);
      const started = ready(worker);
      worker.postMessage({ memory, mailbox, slot: FIRST_SLOT + i * SLOT });
      await started;
      worker.unref?.(); // a waiting worker must not keep the process alive
    }
  } catch (error) {
    close();
    throw error;
  }
  /** Makes all threads do a job while the calling thread runs `own`; false if a thread failed. */
  const dispatch = (moduleBytes: number, own?: () => void): boolean => {
    Atomics.store(control, MODULE_BYTES, moduleBytes);
    Atomics.store(control, PENDING, count);
    Atomics.add(control, SEQUENCE, 1);
    Atomics.notify(control, SEQUENCE);
    try {
      own?.();
    } finally {
      // The loop spins, because the main thread of a page must not block. It spins briefly, because
      // the shares are equal.
      while (Atomics.load(control, PENDING) > 0);
    }
    return Atomics.exchange(control, FAILED, 0) === 0;
  };
  const load = (binary: Binary) => {
    const known = loaded.get(binary.name);
    if (known) return known;
    const bytes = bytesOf(binary, kernel, true);
    if (bytes.length > MAILBOX_BYTES) return undefined;
    new Uint8Array(mailbox).set(bytes);
    if (!dispatch(bytes.length)) {
      close(); // some threads may have loaded the module and others not
      return undefined;
    }
    const added = { index: loaded.size, names: namesOf(binary) };
    loaded.set(binary.name, added);
    return added;
  };
  const run: Threads['run'] = ({ binary, name }, call, shares, own) => {
    const module = isOpen ? load(binary) : undefined;
    if (!module) return false;
    for (const [i, { workspace, first, count: rows }] of shares.entries()) {
      const job = [module.index, module.names.indexOf(name), call, workspace, first, rows];
      new Int32Array(memory.buffer, FIRST_SLOT + i * SLOT, SLOT / 4).set(job);
    }
    return dispatch(0, own);
  };
  return { count, kernel, run, close };
}
