// The memory of a call through a head.

import { Matrix, zeroMatrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { type ArenaMemory, arenaOf, arrayIn, Scratch } from '../engine/arenas.js';

/**
 * Matrices for as long as a call: in the arena of the weight, behind its matrices, where there is
 * an arena that has room for them. The products of a head then find all that they read and write in
 * one arena.
 */
export class Rooms<T extends FloatArray> {
  readonly #operation: string;
  readonly #arena: ArenaMemory | undefined;
  readonly #scratch: Scratch | undefined;

  constructor(operation: string, weight: Matrix<T>) {
    this.#operation = operation;
    this.#arena = arenaOf([weight.data]);
    this.#scratch = this.#arena && new Scratch(this.#arena);
  }

  /**
   * A matrix of the shape of `like`, but for its number of rows; of numbers that are not specified.
   */
  take(rows: number, { columns, numeric }: Matrix<T>): Matrix<T> {
    const length = rows * columns;
    const address = this.#scratch?.take(length * numeric.bytesPerElement);
    if (address === undefined) {
      return zeroMatrix(this.#operation, { chunkRows: rows, columns }, numeric);
    }
    return new Matrix(arrayIn(this.#arena!, address, length, numeric), rows, columns);
  }

  /** Gives the room back. */
  close(): void {
    this.#scratch?.close();
  }
}
