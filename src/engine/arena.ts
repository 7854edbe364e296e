import { checkNumeric } from '../core/convert.js';
import { checkInteger, checkOptions, refuse } from '../core/errors.js';
import { Matrix } from '../core/matrix.js';
import { type FloatArray, float32, type NumericTrait } from '../core/numeric.js';
import { type ArenaMemory, addArena, arenaInstance, arrayIn } from './arenas.js';
import { kernelInfo } from './choice.js';
import { fixedMemory } from './compile.js';
import { align, workspaceBytes } from './instance.js';
import { BATCH_BYTES, FIRST_ADDRESS } from './layout.js';
import { MOST_THREADS, startThreads } from './threads.js';

/** Options of {@link MatrixArena.withThreads}. */
export interface ThreadOptions {
  /**
   * Creates a worker that runs the file `knowledge-distillation/worker`, a new one at each call,
   * for pages whose content security policy forbids `blob:` workers or asks for Trusted Types. Of a
   * page:
   * `() => new Worker(import.meta.resolve('knowledge-distillation/worker'), { type: 'module' })`;
   * where a bundler finds workers by their URL,
   * `() => new Worker(new URL('knowledge-distillation/worker', import.meta.url), { type: 'module' })`;
   * of `node:worker_threads`,
   * `() => new Worker(new URL(import.meta.resolve('knowledge-distillation/worker')))`.
   */
  readonly createWorker?: (() => object | Promise<object>) | undefined;
}

/**
 * Memory in which the kernels compute without copying: for the matrices of a training loop, made
 * once and filled anew at every step. It is as large as it was made and never moves, so that a view
 * on it stays valid; it goes when the arena and all its matrices do.
 *
 * A loss that is a sum over rows reads and writes the student, the teacher and the `gradient` of a
 * call in place if all are of one arena, alone, in a hybrid and layer by layer.
 * {@link computeThroughHead} multiplies in place where the weights are matrices of an arena that
 * has room for a chunk. Anything else works too, by copying: `accumulate`, float32 rows of up to 16
 * columns, sparse teachers, losses that compare rows with each other, the scalar kernel.
 *
 * @example
 * import { MatrixArena, ResponseDistillationStrategy } from 'knowledge-distillation';
 *
 * const arena = new MatrixArena(1 << 20);
 * const student = arena.zeros(8, 1000);
 * const teacher = arena.zeros(8, 1000);
 * const gradient = arena.zeros(8, 1000);
 * const strategy = new ResponseDistillationStrategy();
 * teacher.set(0, 7, 2); // in a training loop: student.data.set(…), teacher.data.set(…)
 * const { loss } = strategy.computeLossAndGradient(student, teacher, undefined, { gradient });
 */
export class MatrixArena {
  readonly #arena: ArenaMemory;

  /**
   * @param bytes - what its matrices take, and room to work on their rows: 60 KiB and four of the
   * widest, or seven where they are not whole vectors; up to 4 GiB less 56 KiB
   * @throws {DistillationError} OUT_OF_RANGE where the engine cannot reserve so much
   */
  constructor(bytes: number);
  constructor(bytes: number, arena: ArenaMemory = arenaMemory('MatrixArena', bytes, false)) {
    this.#arena = arena;
    addArena(arena);
  }

  /**
   * An arena in which several threads compute large batches in place: 256 KiB of student logits and
   * more, of 1024 rows at a time, and the products of {@link computeThroughHead}. Each thread takes
   * whole rows, or columns of a product, so that the result has the same bits as that of one. It
   * gains nothing unless there is a core for each.
   *
   * The threads run the kernel that is selected now; while another one is, they rest. They don't
   * keep a process alive, but they do keep the memory until {@link close}. In a browser the page
   * has to be cross-origin isolated, since they share memory, and a content security policy has to
   * allow `worker-src blob:`.
   *
   * @param bytes - see the constructor; each thread takes room to work in
   * @param threads - 1 to 15, the calling one included
   * @param options - how workers are created, where a policy forbids the library to create them
   * @throws {DistillationError} UNAVAILABLE (the promise rejects) where there are no threads, no
   * shared memory or no SIMD, unless one thread is all that is asked for
   * @example
   * import { MatrixArena } from 'knowledge-distillation';
   *
   * const bytes = 1 << 20;
   * const arena = await MatrixArena.withThreads(bytes, 2).catch(() => new MatrixArena(bytes));
   * const student = arena.zeros(8, 1000);
   * arena.close();
   */
  static async withThreads(
    bytes: number,
    threads: number,
    options: ThreadOptions = {},
  ): Promise<MatrixArena> {
    const operation = 'MatrixArena.withThreads';
    checkOptions(operation, 'options', options, ['createWorker']);
    checkInteger(operation, 'threads', threads, 1);
    if (threads > MOST_THREADS) {
      refuse('OUT_OF_RANGE', operation, 'threads', `be at most ${MOST_THREADS}`, `${threads}`);
    }
    if (threads === 1) return new MatrixArena(bytes);
    checkInteger(operation, 'bytes', bytes, 1);
    const { kernel, reason } = kernelInfo();
    try {
      if (kernel === 'scalar') throw new Error(reason);
      const arena = arenaMemory(operation, bytes, true);
      arena.threads = await startThreads({
        count: threads - 1,
        kernel,
        memory: arena.memory,
        namesOf: (binary) => Object.keys(arenaInstance(arena, 0)!.exportsOf<object>(binary)!),
        createWorker: options.createWorker,
      });
      return new (MatrixArena as ArenaConstructor)(bytes, arena);
    } catch (error) {
      if (error instanceof Error && 'operation' in error) throw error;
      const expected = 'be such that they can be started';
      const hint =
        'they need SIMD, shared memory (a page that is cross-origin isolated) and workers (see createWorker)';
      refuse('UNAVAILABLE', operation, 'threads', expected, String(error), { hint });
    }
  }

  /** How many threads compute, the calling one included. */
  get threads(): number {
    return 1 + (this.#arena.threads?.count ?? 0);
  }

  /** Bytes that are still free. */
  get free(): number {
    return this.#arena.memory.buffer.byteLength - this.#arena.next;
  }

  /** Ends the threads. The matrices stay as they are, and one thread computes on them. */
  close(): void {
    this.#arena.threads?.close();
    this.#arena.threads = undefined;
  }

  /**
   * A matrix of zeros; float32 unless `numeric` says otherwise.
   *
   * @throws {DistillationError} OUT_OF_RANGE where the arena is full
   */
  zeros(rows: number, columns: number): Matrix<Float32Array>;
  zeros<T extends FloatArray>(rows: number, columns: number, numeric: NumericTrait<T>): Matrix<T>;
  zeros(
    rows: number,
    columns: number,
    numeric: NumericTrait<FloatArray> = float32,
  ): Matrix<FloatArray> {
    const operation = 'MatrixArena.zeros';
    checkInteger(operation, 'rows', rows, 0);
    checkInteger(operation, 'columns', columns, 1);
    checkNumeric(operation, numeric);
    const arena = this.#arena;
    const rowBytes = columns * numeric.bytesPerElement;
    // Copies of short rows take little, and some losses want them.
    const copies = rowBytes !== align(rowBytes) || rowBytes <= BATCH_BYTES;
    // A wider row needs another workspace, for each thread; the old one is lost.
    const each = workspaceBytes(rowBytes, copies);
    const room = each > arena.workspaceBytes ? this.threads * each : 0;
    const length = rows * columns;
    const bytes = align(length * numeric.bytesPerElement);
    if (!(room + bytes <= this.free)) {
      const work = room > 0 ? `, and ${room} to work on its rows` : '';
      const expected = `take at most the ${this.free} bytes that are left`;
      const hint = `make the arena ${room + bytes - this.free} bytes larger`;
      refuse('OUT_OF_RANGE', operation, 'rows × columns', expected, `${bytes} bytes${work}`, {
        hint,
      });
    }
    if (room > 0) {
      arena.workspace = arena.next;
      arena.workspaceBytes = each;
    }
    const start = arena.next + room;
    arena.next = start + bytes;
    const data = arrayIn(arena, start, length, numeric);
    if (start < arena.used) data.fill(0);
    return new Matrix<FloatArray>(data, rows, columns);
  }
}

/** With what only the class itself passes. */
type ArenaConstructor = new (bytes: number, arena: ArenaMemory) => MatrixArena;

function arenaMemory(operation: string, bytes: number, shared: boolean): ArenaMemory {
  checkInteger(operation, 'bytes', bytes, 1);
  try {
    const memory = fixedMemory(FIRST_ADDRESS + bytes, shared);
    const instances = new Map();
    return {
      memory,
      shared,
      next: FIRST_ADDRESS,
      used: FIRST_ADDRESS,
      threads: undefined,
      workspace: 0,
      workspaceBytes: 0,
      instances,
    };
  } catch (error) {
    const expected = 'be what the engine can reserve';
    refuse('OUT_OF_RANGE', operation, 'bytes', expected, `${bytes} (${error})`);
  }
}
