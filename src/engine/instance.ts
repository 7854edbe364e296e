// The WebAssembly kernels and the memory they work in: tables, then a workspace for rows, then whatever else.

import type { FloatArray } from '../core/numeric.js';

/** Losses and gradients of rows of the response loss, see assembly/response.ts; the first five are addresses. */
type ResponseKernel = (
  student: number,
  teacher: number,
  gradient: number,
  labels: number,
  losses: number,
  rows: number,
  width: number,
  temperature: number,
  temperatureFactor: number,
  alpha: number,
  scale: number,
) => void;

/** log Σ e^(z / temperature) of a row, see assembly/tail.ts. */
type ReadTail = (row: number, bytes: number, temperature: number) => number;

/** Writes a factor times what each entry has of the sum that was read last. */
type WriteTail = (output: number, factor: number) => void;

/** Whether all numbers from an address on are finite and not extreme, see assembly/moderate.ts. */
type Moderate = (address: number, bytes: number) => number;

/** C += A · B, see assembly/product.ts; three addresses, then rows, steps and columns. */
type Product = (
  a: number,
  b: number,
  c: number,
  rows: number,
  inner: number,
  columns: number,
  isGram: boolean,
) => void;

/** Panels of a factor, see assembly/product.ts; two addresses, then how many lines and steps. */
type Pack = (source: number, target: number, lines: number, inner: number) => void;

interface Exports {
  readonly place: (start: number, bytes: number) => number;
  readonly response32: ResponseKernel;
  readonly response64: ResponseKernel;
  readonly shortRows32: ResponseKernel;
  readonly shortRows64: ResponseKernel;
  readonly product32: Product;
  readonly product64: Product;
  readonly packRows32: Pack;
  readonly packRows64: Pack;
  readonly packColumns32: Pack;
  readonly packColumns64: Pack;
  readonly readTail32: ReadTail;
  readonly readTail64: ReadTail;
  readonly writeTail32: WriteTail;
  readonly writeTail64: WriteTail;
  readonly moderate32: Moderate;
  readonly moderate64: Moderate;
}

export interface Memory {
  readonly buffer: ArrayBufferLike;
  readonly grow: (pages: number) => number;
}

/** The part of WebAssembly that is used; where there is neither a DOM nor Node, it has no types. */
interface Engine {
  readonly Memory: new (size: { initial: number; maximum: number; shared?: boolean }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

/** An instance of the kernels. */
export interface Simd {
  readonly kernels: Exports;
  readonly memory: Memory;
  /** Where the workspace starts. */
  readonly workspace: number;
  /** Bytes of the longest rows that the workspace is laid out for, and where it ends. */
  rowBytes: number;
  end: number;
  /** Views on the whole memory; made anew when it grows. */
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
}

const PAGE = 65536;

/** Below this address are the constants of the kernels. */
export const FIRST_ADDRESS = 4096;

function findEngine(): Engine | undefined {
  return (globalThis as unknown as { WebAssembly?: Engine }).WebAssembly;
}

/** Throws where there is no WebAssembly. */
function engine(): Engine {
  const found = findEngine();
  if (!found) throw new Error('there is no WebAssembly');
  return found;
}

/** What a module says before the kind of the memory it imports: the names `env` and `memory`. */
const BEFORE_KIND = '03656e76066d656d6f727902';

/**
 * For a memory that threads share, or for one of a single thread; the kinds differ in one byte, and a module takes one
 * of them. Throws what the engine throws where it compiles no WebAssembly, or not this one.
 */
export function compile(hex: string, shared: boolean): object {
  const bytes = Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
  if (shared) bytes[(hex.indexOf(BEFORE_KIND) + BEFORE_KIND.length) / 2] = 3;
  return new (engine().Module)(bytes);
}

/** The largest number of pages that a memory can have. */
const MOST_PAGES = 65536;

/** A memory that grows as it is needed. */
export function growingMemory(): Memory {
  return new (engine().Memory)({ initial: 4, maximum: MOST_PAGES });
}

/** A memory of so many bytes, which never moves; where there is no WebAssembly, of the JavaScript heap. */
export function fixedMemory(bytes: number, shared: boolean): Memory {
  const pages = Math.ceil(bytes / PAGE);
  if (!findEngine() && !shared) return { buffer: new ArrayBuffer(bytes), grow: () => -1 };
  return new (engine().Memory)({ initial: pages, maximum: pages, shared });
}

export function instantiate(module: object, memory: Memory, workspace: number): Simd {
  const { exports } = new (engine().Instance)(module, { env: { memory } });
  const { float32, float64, int32 } = views(memory);
  const kernels = exports as Exports;
  return { kernels, memory, workspace, rowBytes: -1, end: 0, float32, float64, int32 };
}

function views({ buffer }: Memory): Pick<Simd, 'float32' | 'float64' | 'int32'> {
  return {
    float32: new Float32Array(buffer),
    float64: new Float64Array(buffer),
    int32: new Int32Array(buffer),
  };
}

/** The view in a number format. */
export function floats(simd: Simd, like: FloatArray): FloatArray {
  return like.BYTES_PER_ELEMENT === 8 ? simd.float64 : simd.float32;
}

/** For so many rows, labels and losses have a place behind the workspace. */
export const MOST_ROWS = 1024;

/** Bytes of the labels, and then of the losses. */
export const LABEL_BYTES: number = 4 * MOST_ROWS;
export const ROW_TABLE_BYTES: number = LABEL_BYTES + 8 * MOST_ROWS;

/**
 * No less than it takes to work on rows of so many bytes: three rows and 48 bytes for each of their blocks, some 22 KiB
 * of tables, and those of labels and losses.
 */
export function workspaceBytes(rowBytes: number): number {
  return align(3.125 * rowBytes) + 24576 + ROW_TABLE_BYTES;
}

/**
 * Makes room for work on rows of up to so many bytes and for `bytes` more, and returns where the latter start; what
 * stood there is lost.
 */
export function reserve(simd: Simd, rowBytes: number, bytes: number): number {
  const { kernels, workspace } = simd;
  if (simd.rowBytes < rowBytes) {
    grow(simd, workspace + workspaceBytes(rowBytes));
    simd.end = align(kernels.place(workspace, rowBytes) >>> 0); // an address, which has no sign
    simd.rowBytes = rowBytes;
  }
  grow(simd, simd.end + bytes);
  return simd.end;
}

function grow(simd: Simd, bytes: number): void {
  const missing = Math.ceil((bytes - simd.float32.byteLength) / PAGE);
  if (missing <= 0) return;
  simd.memory.grow(missing);
  Object.assign(simd, views(simd.memory));
}

/** The next address for a vector. */
export function align(address: number): number {
  return Math.ceil(address / 16) * 16;
}
