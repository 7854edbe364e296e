import { checkInteger, refuse } from './errors.js';
import { addArena } from './kernels/choice.js';
import {
  align,
  engine,
  FIRST_ADDRESS,
  type Memory,
  PAGE,
  workspaceBytes,
} from './kernels/simd/instance.js';
import { checkNumeric, Matrix } from './matrix.js';
import { type FloatArray, float32, type NumericTrait } from './numeric.js';

/**
 * Memory in which the kernels compute without copying: matrices of a training loop that are made once and filled anew
 * at every step. The memory is as large as it was made and never moves, so that a view on it stays valid; it goes when
 * the arena and all its matrices do.
 *
 * What it gains: student, teacher and `gradient` of a call are read and written where they are, if all are of one arena
 * and a row is a multiple of 16 bytes (4 columns in float32, 2 in float64). Anything else works too, by copying.
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
  /** What it was made for; of this, the kernels take room for some three rows of the widest matrix. */
  readonly bytes: number;
  readonly #memory: Memory;
  #next: number = FIRST_ADDRESS;
  #widest = 0;

  /**
   * @param bytes - all that its matrices need, and four rows of the widest; up to 4 GiB less 1 MiB
   * @throws {DistillationError} OUT_OF_RANGE where the engine has not so much
   */
  constructor(bytes: number) {
    const operation = 'MatrixArena';
    this.bytes = checkInteger(operation, 'bytes', bytes, 1);
    const pages = Math.ceil((FIRST_ADDRESS + workspaceBytes(0) + bytes) / PAGE);
    try {
      this.#memory = new (engine().Memory)({ initial: pages, maximum: pages });
    } catch (error) {
      const expected = 'be what the engine can reserve';
      refuse('OUT_OF_RANGE', operation, 'bytes', expected, `${bytes} (${error})`);
    }
  }

  /** Bytes that are still free. */
  get free(): number {
    return this.#memory.buffer.byteLength - this.#next;
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
    const rowBytes = align(columns * numeric.bytesPerElement);
    const room = rowBytes > this.#widest ? align(workspaceBytes(rowBytes)) : 0;
    const length = rows * columns;
    const bytes = align(length * numeric.bytesPerElement);
    if (!(room + bytes <= this.free)) {
      const received = `${bytes}, and ${room} to work on its rows`;
      refuse('OUT_OF_RANGE', operation, 'bytes', `be at most the ${this.free} left`, received);
    }
    const { buffer } = this.#memory;
    const start = this.#next + room;
    if (room > 0) {
      addArena(this.#memory, { workspace: this.#next, rowBytes });
      this.#widest = rowBytes;
    }
    this.#next = start + bytes;
    const data =
      numeric.dtype === 'float64'
        ? new Float64Array(buffer, start, length)
        : new Float32Array(buffer, start, length);
    return new Matrix<FloatArray>(data, rows, columns);
  }
}
