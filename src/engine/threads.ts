// Threads that help with the rows of an arena: each waits for its share in the memory that all of
// them have.

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

/** Rows of the call that stands in the memory, and where to work on them. */
export interface Share {
  readonly workspace: number;
  readonly first: number;
  readonly count: number;
}

export interface Threads {
  /** Number of threads beside the main thread. */
  readonly count: number;
  /** The kernels that they run. */
  readonly kernel: CompiledKernel;
  /**
   * Hands each thread a share, runs `own` meanwhile, and returns when all are done; `false` if a
   * thread failed.
   */
  readonly run: (
    kernel: Kernel,
    call: number,
    shares: readonly Share[],
    own: () => void,
  ) => boolean;
  readonly close: () => void;
}

/** Threads that have a slot, and the calling one. */
export const MOST_THREADS = 15;

/** Room for the bytes of a module. */
const MAILBOX = 131072;

/** The part of a worker that is used: Node's, or a browser's. */
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

/** Starts a thread. */
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

/** Time for a worker to say that it is ready, in milliseconds. */
const PATIENCE = 10_000;

/** Resolves when a thread says that it is ready; rejects when it fails before, or says nothing. */
function ready(worker: ThreadWorker): Promise<void> {
  const { setTimeout, clearTimeout } = globalThis as unknown as Platform;
  let timer: unknown;
  const started = new Promise<void>((resolve, reject) => {
    const silence = 'a worker does not answer: does it run knowledge-distillation/worker?';
    timer = setTimeout(() => reject(new Error(silence)), PATIENCE);
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

/** What threads are started with. */
export interface ThreadStart {
  /** Number of threads beside the main thread. */
  readonly count: number;
  readonly kernel: CompiledKernel;
  readonly memory: Memory;
  /** The exports of a binary, in their order. */
  readonly namesOf: (binary: Binary) => readonly string[];
  /** Creates a worker that runs the program of a thread; by default, from its text. */
  readonly createWorker?: (() => unknown) | undefined;
}

/** Throws unless a worker is one, and not one of the others. */
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
  const mailbox = new SharedArrayBuffer(MAILBOX);
  const workers: ThreadWorker[] = [];
  /** Names of the kernels in the binaries that the threads have loaded, in their order. */
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
      worker.unref?.(); // it must not keep the process alive
    }
  } catch (error) {
    close();
    throw error;
  }
  /** Has all threads do a job; `false` if one of them failed. */
  const dispatch = (moduleBytes: number, own?: () => void): boolean => {
    Atomics.store(control, MODULE_BYTES, moduleBytes);
    Atomics.store(control, PENDING, count);
    Atomics.add(control, SEQUENCE, 1);
    Atomics.notify(control, SEQUENCE);
    try {
      own?.();
    } finally {
      // Spinning, since a page's main thread must not wait; the shares are equal, so that it is not
      // for long.
      while (Atomics.load(control, PENDING) > 0);
    }
    return Atomics.exchange(control, FAILED, 0) === 0;
  };
  const load = (binary: Binary) => {
    const known = loaded.get(binary.name);
    if (known) return known;
    const bytes = bytesOf(binary, kernel, true);
    if (bytes.length > MAILBOX) return undefined;
    new Uint8Array(mailbox).set(bytes);
    if (!dispatch(bytes.length)) {
      close(); // the threads may have loaded different modules
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
