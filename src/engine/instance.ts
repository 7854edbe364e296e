// A WebAssembly memory with the kernels that compute in it, and the sizes of workspaces.

import type { FloatArray } from '../core/numeric.js';
import { type Binary, instantiate, type Memory, PAGE } from './compile.js';
import {
  BATCH_BYTES,
  BATCH_ROWS,
  BLOCK_BYTES,
  BLOCK_GAP,
  BLOCK_ROWS,
  CONSTANT_BYTES,
  COUNT_BYTES,
  MIN_BLOCK_ROWS,
  PATCH_BYTES,
  RECORD_BYTES,
} from './layout.js';

/** Returns the compiled module of a binary; undefined if the engine cannot compile it. */
export type ModuleOf = (binary: Binary) => object | undefined;

/** A kernel for rows of float32 or float64 numbers. Its name is unique among all binaries. */
export interface Kernel {
  readonly binary: Binary;
  readonly name: string;
}

/**
 * Computes `count` rows of a call from row `first` on; `call` is the address of its description.
 */
export type RowsKernel = (call: number, workspace: number, first: number, count: number) => void;

/** Returns the name of a kernel's export for numbers of 4 or 8 bytes. */
export function exportName(name: string, size: number): string {
  return `${name}${8 * size}`;
}

/**
 * A memory with the kernels that compute in it. The memory holds a workspace, then the numbers of a
 * call.
 */
export class Instance {
  readonly memory: Memory;
  /** Address of the workspace. */
  readonly workspace: number;
  /** Number of calls so far that used the memory behind the workspace. */
  uses = 0;
  readonly #moduleOf: ModuleOf;
  readonly #exports = new Map<string, object>();
  readonly #singles = new Map<string, RowsKernel>();
  readonly #doubles = new Map<string, RowsKernel>();
  /** Views on the whole memory, replaced when it grows. */
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;

  constructor(memory: Memory, workspace: number, moduleOf: ModuleOf) {
    this.memory = memory;
    this.workspace = workspace;
    this.#moduleOf = moduleOf;
    this.float32 = new Float32Array(memory.buffer);
    this.float64 = new Float64Array(memory.buffer);
    this.int32 = new Int32Array(memory.buffer);
  }

  /**
   * Returns the exports of a binary, which is instantiated at its first use; undefined if the
   * engine cannot compile it.
   */
  exportsOf<Exports>(binary: Binary): Exports | undefined {
    const { name } = binary;
    let exports = this.#exports.get(name);
    if (!exports) {
      const module = this.#moduleOf(binary); // asked for again: it may have been passed in since
      exports = module && instantiate(module, this.memory);
      if (exports) this.#exports.set(name, exports);
    }
    return exports as Exports | undefined;
  }

  /**
   * Returns a kernel for rows of numbers of 4 or 8 bytes; undefined if the engine cannot compile
   * it.
   */
  rowsKernel({ binary, name }: Kernel, size: number): RowsKernel | undefined {
    const found = size === 8 ? this.#doubles : this.#singles;
    // Kernels are looked up by `name`: building the name of the export takes longer than a short
    // row.
    let kernel = found.get(name);
    if (!kernel) {
      kernel = this.exportsOf<Record<string, RowsKernel>>(binary)?.[exportName(name, size)];
      if (kernel) found.set(name, kernel);
    }
    return kernel;
  }

  /** Grows the memory up to an address, for a new call; returns false if the engine refuses. */
  reach(address: number): boolean {
    this.uses++;
    const missing = Math.ceil((address - this.float32.byteLength) / PAGE);
    if (missing <= 0) return true;
    try {
      this.memory.grow(missing);
    } catch {
      return false;
    }
    this.float32 = new Float32Array(this.memory.buffer);
    this.float64 = new Float64Array(this.memory.buffer);
    this.int32 = new Int32Array(this.memory.buffer);
    return true;
  }

  /** Returns the view on numbers of 4 or 8 bytes. */
  floats(size: number): FloatArray {
    return size === 8 ? this.float64 : this.float32;
  }
}

/** Rounds an address up to a multiple of 16, the bytes of a vector. */
export function align(address: number): number {
  return Math.ceil(address / 16) * 16;
}

/**
 * Returns the bytes of the workspace of the kernels for rows of `rowBytes` bytes. The workspace
 * holds the exponentials of a batch of rows and the slopes of one row. With `copies` it also holds
 * copies of the batch, which the kernels need for rows that are not whole vectors or that change
 * before they are read.
 */
export function workspaceBytes(rowBytes: number, copies: boolean): number {
  const width = align(rowBytes);
  const rows = Math.min(Math.max(Math.floor(BATCH_BYTES / width), 1), BATCH_ROWS);
  const batch = rows * width;
  const tables = CONSTANT_BYTES + BATCH_ROWS * RECORD_BYTES + PATCH_BYTES;
  return tables + (copies ? 6 : 3) * batch + width;
}

/**
 * Returns the bytes that ranking rows adds to a workspace, behind the copies: digit counts, pairs
 * of a number and its column, and sorted rows.
 */
export function rankBytes(rowBytes: number): number {
  return COUNT_BYTES + 9 * align(rowBytes);
}

/**
 * Returns the bytes that kernels of columns add to a workspace, behind the copies: blocks of rows
 * that are read column by column.
 */
export function blockBytes(rowBytes: number): number {
  const width = align(rowBytes);
  const rows = Math.min(Math.max(Math.floor(BLOCK_BYTES / width), MIN_BLOCK_ROWS), BLOCK_ROWS);
  return 3 * rows * (width + BLOCK_GAP);
}
