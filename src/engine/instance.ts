// A memory and the kernels that work in it: a workspace first, then the numbers of a call.

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
  LEAST_BLOCK_ROWS,
  PATCH_BYTES,
  RECORD_BYTES,
} from './layout.js';

/** Gives the compiled module of a binary; `undefined` where the engine does not compile it. */
export type ModuleOf = (binary: Binary) => object | undefined;

/** A kernel for rows of numbers of either size, which names are unique in all binaries. */
export interface Kernel {
  readonly binary: Binary;
  readonly name: string;
}

/** Works on some of the rows of a call whose description stands at an address. */
export type RowsKernel = (call: number, workspace: number, first: number, count: number) => void;

/** The name of the export of a kernel for numbers of 4 bytes or of 8. */
export function exportName(name: string, size: number): string {
  return `${name}${8 * size}`;
}

export class Instance {
  readonly memory: Memory;
  /** Where the workspace starts. */
  readonly workspace: number;
  /** Calls so far that laid out the memory behind the workspace. */
  uses = 0;
  readonly #moduleOf: ModuleOf;
  readonly #exports = new Map<string, object>();
  readonly #singles = new Map<string, RowsKernel>();
  readonly #doubles = new Map<string, RowsKernel>();
  /** Views on the whole memory, made anew when it grows. */
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
   * The exports of a binary, instantiated at its first use; `undefined` where the engine does not
   * compile it.
   */
  exportsOf<Exports>(binary: Binary): Exports | undefined {
    const { name } = binary;
    let exports = this.#exports.get(name);
    if (!exports) {
      const module = this.#moduleOf(binary); // it may be passed in later
      exports = module && instantiate(module, this.memory);
      if (exports) this.#exports.set(name, exports);
    }
    return exports as Exports | undefined;
  }

  /**
   * A kernel for rows of numbers of 4 bytes or of 8; `undefined` where the engine does not compile
   * it.
   */
  rowsKernel({ binary, name }: Kernel, size: number): RowsKernel | undefined {
    const found = size === 8 ? this.#doubles : this.#singles;
    let kernel = found.get(name); // a name that is put together takes longer to look up than a short row
    if (!kernel) {
      kernel = this.exportsOf<Record<string, RowsKernel>>(binary)?.[exportName(name, size)];
      if (kernel) found.set(name, kernel);
    }
    return kernel;
  }

  /** Has the memory reach to an address, for a new call; `false` where it cannot. */
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

  /** The view for numbers of 4 bytes or of 8. */
  floats(size: number): FloatArray {
    return size === 8 ? this.float64 : this.float32;
  }
}

/** The next address for a vector. */
export function align(address: number): number {
  return Math.ceil(address / 16) * 16;
}

/**
 * Bytes that the kernels for rows take to work on rows of `rowBytes` bytes: exponentials of a batch
 * of rows, the slopes of a row, and copies of the batch where rows are not whole vectors or change
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
 * Bytes behind the copies of a workspace to rank rows: counts, pairs of numbers and places, and
 * rows in order.
 */
export function rankBytes(rowBytes: number): number {
  return COUNT_BYTES + 9 * align(rowBytes);
}

/**
 * Bytes behind the copies of a workspace for blocks of rows whose columns are looked at together.
 */
export function blockBytes(rowBytes: number): number {
  const width = align(rowBytes);
  const rows = Math.min(Math.max(Math.floor(BLOCK_BYTES / width), LEAST_BLOCK_ROWS), BLOCK_ROWS);
  return 3 * rows * (width + BLOCK_GAP);
}
