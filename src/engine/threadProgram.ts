import { CONTROL } from './layout.js';

// What threads agree on, in 32 bits each; behind it stands a slot of numbers for each thread.
export const SEQUENCE = 0; // of the job
export const PENDING = 1; // threads that are not done
export const FAILED = 2;
export const CLOSED = 3;
export const MODULE_BYTES = 4; // of the module to load, or 0 where a share is to be computed
export const FIRST_SLOT: number = CONTROL + 64;
export const SLOT = 32;

/**
 * The program of a thread. It is text, since a bundler would not find a file; the build writes it
 * to a file as well, which is the entry point `knowledge-distillation/worker`.
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
