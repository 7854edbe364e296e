import { checkNumeric } from '../core/convert.js';
import { checkInteger, checkOptions, refuse } from '../core/errors.js';
import { Matrix } from '../core/matrix.js';
import { type FloatArray, float32, type NumericTrait } from '../core/numeric.js';
import { type ArenaMemory, addArena, arenaInstance, arrayIn } from './arenas.js';
import { kernelInfo } from './choice.js';
import { fixedMemory } from './compile.js';
import { align, workspaceBytes } from './instance.js';
import { BATCH_BYTES, FIRST_ADDRESS } from './layout.js';
import { MAX_THREADS, startThreads } from './threads.js';

/** Options of {@link MatrixArena.withThreads}. */
export interface ThreadOptions {
  /**
   * Creates a new worker, at each call, that runs the file `knowledge-distillation/worker`. A page
   * needs the option if its content security policy forbids `blob:` workers or requires Trusted
   * Types.
   *
   * - in a page:
   *   `() => new Worker(import.meta.resolve('knowledge-distillation/worker'), { type: 'module' })`
   * - with a bundler that finds workers by their URL:
   *   `new Worker(new URL('knowledge-distillation/worker', import.meta.url), { type: 'module' })`
   * - with `node:worker_threads`:
   *   `() => new Worker(new URL(import.meta.resolve('knowledge-distillation/worker')))`
   *
   * @defaultValue the library creates a worker from the text of its program
   */
  readonly createWorker?: (() => object | Promise<object>) | undefined;
}

/**
 * Allocates matrices in memory in which the kernels compute without copying. A training loop
 * creates such matrices once and fills them at every step.
 *
 * The memory has a fixed size and never moves, so that views on it stay valid. It is freed when the
 * arena and all its matrices are unreachable.
 *
 * A loss that is a sum over rows computes in place if the student, the teacher and the `gradient`
 * of the call are matrices of one arena: alone, in a hybrid and in `computeLayerwise`.
 * {@link computeThroughHead} computes in place if the weights of the head are matrices of an arena
 * that has free memory for a chunk. All other calls copy: `accumulate`, float32 rows of up to 16
 * columns, sparse teachers, losses that compare rows with each other, the scalar kernel.
 *
 * @example
 * ```ts
 * import { MatrixArena, ResponseDistillationStrategy } from 'knowledge-distillation';
 *
 * const arena = new MatrixArena(1 << 20);
 * const student = arena.zeros(8, 1000);
 * const teacher = arena.zeros(8, 1000);
 * const gradient = arena.zeros(8, 1000);
 * const strategy = new ResponseDistillationStrategy();
 * teacher.set(0, 7, 2); // in a training loop: student.data.set(…), teacher.data.set(…)
 * const { loss } = strategy.computeLossAndGradient(student, teacher, undefined, { gradient });
 * console.log(loss.toFixed(6)); // 0.000394
 * ```
 */
export class MatrixArena {
  readonly #arena: ArenaMemory;

  /**
   * Reserves the memory of an arena.
   *
   * @param bytes - size of all matrices plus a workspace: 60 KiB and four of the widest rows, or
   * seven if the bytes of that row are no multiple of 16; at most 4 GiB − 65 KiB
   * @throws {DistillationError} OUT_OF_RANGE if the engine cannot reserve the memory
   */
  constructor(bytes: number);
  constructor(bytes: number, arena: ArenaMemory = arenaMemory('MatrixArena', bytes, false)) {
    this.#arena = arena;
    addArena(arena);
  }

  /**
   * Creates an arena in which several threads compute large batches in place: batches of at least
   * 256 KiB of student logits, 1024 rows at a time, and the products of {@link computeThroughHead}.
   * Each thread computes whole rows, or whole columns of a product, so that the result has the same
   * bits as with one thread. More threads than cores gain nothing.
   *
   * The threads run the kernel that is selected when the arena is created. While another kernel is
   * selected, one thread computes. The threads don't keep a process alive, but they keep the memory
   * until {@link close}. In a browser, the page has to be cross-origin isolated, because the
   * threads share memory, and a content security policy has to allow `worker-src blob:`.
   *
   * @param bytes - see the constructor; each thread needs a workspace
   * @param threads - number of threads, 1 to 15, including the calling thread
   * @param options - how workers are created, if a policy forbids the library to create them
   * @returns the arena, once all threads are ready
   * @throws {DistillationError} UNAVAILABLE (the promise rejects) if `threads` is above 1 and the
   * environment has no threads, no shared memory or no SIMD
   * @example
   * ```ts
   * import { MatrixArena } from 'knowledge-distillation';
   *
   * const bytes = 1 << 20;
   * const arena = await MatrixArena.withThreads(bytes, 2).catch(() => new MatrixArena(bytes));
   * const student = arena.zeros(8, 1000);
   * console.log(student.rows); // 8
   * arena.close();
   * ```
   */
  static async withThreads(
    bytes: number,
    threads: number,
    options: ThreadOptions = {},
  ): Promise<MatrixArena> {
    const operation = 'MatrixArena.withThreads';
    checkOptions(operation, 'options', options, ['createWorker']);
    checkInteger(operation, 'threads', threads, 1);
    if (threads > MAX_THREADS) {
      refuse('OUT_OF_RANGE', operation, 'threads', `be at most ${MAX_THREADS}`, `${threads}`);
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
      const received = String(error);
      refuse('UNAVAILABLE', operation, 'threads', 'start', received, {
        sentence: `could not start ${threads} threads (${received})`,
        hint: 'threads need SIMD, shared memory (a cross-origin isolated page) and workers (see createWorker)',
      });
    }
  }

  /** Number of threads that compute, including the calling thread. */
  get threads(): number {
    return 1 + (this.#arena.threads?.count ?? 0);
  }

  /** Number of free bytes. */
  get free(): number {
    return this.#arena.memory.buffer.byteLength - this.#arena.next;
  }

  /** Ends the threads. The matrices stay valid; from now on the calling thread computes alone. */
  close(): void {
    this.#arena.threads?.close();
    this.#arena.threads = undefined;
  }

  /**
   * Allocates a matrix of zeros in float32 or, with `numeric`, in another format.
   *
   * @param rows - number of rows, ≥ 0
   * @param columns - number of columns, ≥ 1
   * @throws {DistillationError} OUT_OF_RANGE if the free memory is too small
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
    // Copies of short rows need little memory, and some losses work on copies.
    const copies = rowBytes !== align(rowBytes) || rowBytes <= BATCH_BYTES;
    // A row wider than all rows before it needs a larger workspace for each thread. The memory of
    // the old workspace stays unused.
    const each = workspaceBytes(rowBytes, copies);
    const added = each > arena.workspaceBytes ? this.threads * each : 0;
    const length = rows * columns;
    const bytes = align(length * numeric.bytesPerElement);
    if (!(added + bytes <= this.free)) {
      const work = added > 0 ? `, and ${added} to work on its rows` : '';
      const expected = `take at most the ${this.free} bytes that are left`;
      const hint = `make the arena ${added + bytes - this.free} bytes larger`;
      refuse('OUT_OF_RANGE', operation, 'rows × columns', expected, `${bytes} bytes${work}`, {
        hint,
      });
    }
    if (added > 0) {
      arena.workspace = arena.next;
      arena.workspaceBytes = each;
    }
    const start = arena.next + added;
    arena.next = start + bytes;
    const data = arrayIn(arena, start, length, numeric);
    if (start < arena.used) data.fill(0);
    return new Matrix<FloatArray>(data, rows, columns);
  }
}

/** The constructor with its second parameter, which only the class itself passes. */
type ArenaConstructor = new (bytes: number, arena: ArenaMemory) => MatrixArena;

/** Reserves the memory of an arena; throws if the engine cannot. */
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
