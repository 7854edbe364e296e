import { CONTROL } from './layout.js';

// Indices of the 32-bit numbers at CONTROL, by which threads synchronise.
/** Number of jobs so far; threads wait for it to change. */
export const SEQUENCE = 0;
/** Number of threads that have not finished the job. */
export const PENDING = 1;
/** 1 if a thread failed. */
export const FAILED = 2;
/** 1 if the threads have to end. */
export const CLOSED = 3;
/** Bytes of the module that the job has to load; 0 for a job that computes a share. */
export const MODULE_BYTES = 4;
/** Address of the slot of the first thread, behind the 16 numbers at CONTROL. */
export const FIRST_SLOT: number = CONTROL + 64;
/** Bytes of a slot: up to eight numbers that describe the share of a thread. */
export const SLOT = 32;

/**
 * Returns the program of a thread. It is text, because a bundler would not find a file. The build
 * also writes it to a file, the entry point `knowledge-distillation/worker`.
 */
export const threadProgram = (): string => `
const worker = globalThis.process?.getBuiltinModule?.('node:worker_threads');
const begin = ({ memory, mailbox, slot }) => {
  const control = new Int32Array(memory.buffer, ${CONTROL}, 16);
  const job = new Int32Array(memory.buffer, slot, ${SLOT / 4});
  const kernels = [];
  let sequence = 0;
  (worker ? worker.parentPort : globalThis).postMessage('ready');
  for (;;) {
    Atomics.wait(control, ${SEQUENCE}, sequence);
    sequence = Atomics.load(control, ${SEQUENCE});
    if (Atomics.load(control, ${CLOSED})) break;
    try {
      const bytes = Atomics.load(control, ${MODULE_BYTES});
      if (bytes) {
        const module = new WebAssembly.Module(new Uint8Array(mailbox, 0, bytes).slice());
        kernels.push(Object.values(new WebAssembly.Instance(module, { env: { memory } }).exports));
      } else {
        const [module, kernel, call, workspace, first, count] = job;
        kernels[module][kernel](call, workspace, first, count);
      }
    } catch {
      Atomics.store(control, ${FAILED}, 1);
    }
    Atomics.sub(control, ${PENDING}, 1);
  }
};
if (worker) worker.parentPort.once('message', begin);
else globalThis.onmessage = ({ data }) => begin(data);
`;
