// The scratch buffers of a call through a head.

import { Matrix, zeroMatrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { type ArenaMemory, arenaOf, arrayIn, Scratch } from '../engine/arenas.js';

/**
 * Allocates matrices that live as long as a call. If the weight is in an arena with enough room,
 * the matrices are in this arena, behind its other matrices. All operands of the head's products
 * are then in one arena, and need no copies.
 */
export class ScratchMatrices<T extends FloatArray> {
  readonly #operation: string;
  readonly #arena: ArenaMemory | undefined;
  readonly #scratch: Scratch | undefined;

  constructor(operation: string, weight: Matrix<T>) {
    this.#operation = operation;
    this.#arena = arenaOf([weight.data]);
    this.#scratch = this.#arena && new Scratch(this.#arena);
  }

  /**
   * Returns a matrix with the columns and dtype of another matrix, and unspecified content.
   */
  take(rows: number, { columns, numeric }: Matrix<T>): Matrix<T> {
    const length = rows * columns;
    const address = this.#scratch?.take(length * numeric.bytesPerElement);
    if (address === undefined) {
      return zeroMatrix(this.#operation, { chunkRows: rows, columns }, numeric);
    }
    return new Matrix(arrayIn(this.#arena!, address, length, numeric), rows, columns);
  }

  /** Releases the matrices. */
  close(): void {
    this.#scratch?.close();
  }
}
