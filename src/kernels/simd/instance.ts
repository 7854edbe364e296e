// The WebAssembly kernels and the memory they work in.

import type { FloatArray } from '../../numeric.js';

/** Losses and gradients of rows of the response loss, see assembly/response.ts; the first five are addresses. */
type ResponseRows = (
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

interface Exports {
  readonly heap: () => number;
  readonly place: (start: number, bytes: number) => number;
  readonly response32: ResponseRows;
  readonly response64: ResponseRows;
  readonly shortRows32: ResponseRows;
  readonly shortRows64: ResponseRows;
}

interface Memory {
  readonly buffer: ArrayBuffer;
  readonly grow: (pages: number) => number;
}

/** The part of WebAssembly that is used, which has no types where there is neither a DOM nor Node. */
interface Engine {
  readonly Memory: new (size: { initial: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

/** An instance of the kernels. */
export interface Simd {
  readonly kernels: Exports;
  readonly memory: Memory;
  /** Bytes of the rows that the workspace is laid out for, and where it ends. */
  rowBytes: number;
  end: number;
  /** Views on the whole memory; made anew when it grows. */
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
}

const PAGE = 65536;

/** Throws what the engine throws where it does not compile WebAssembly, or not this one. */
export function instantiate(base64: string): Simd {
  const { WebAssembly } = globalThis as unknown as { WebAssembly?: Engine };
  if (!WebAssembly) throw new Error('there is no WebAssembly');
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const memory = new WebAssembly.Memory({ initial: 4 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const kernels = instance.exports as Exports;
  return { kernels, memory, rowBytes: -1, end: 0, ...views(memory) };
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

/**
 * Makes room for work on rows of so many bytes and for `bytes` more, and returns where the latter start. What stood in
 * the memory is lost.
 */
export function reserve(simd: Simd, rowBytes: number, bytes: number): number {
  const { kernels, memory } = simd;
  if (simd.rowBytes !== rowBytes) {
    // The workspace has a few rows, and tables of a fixed size.
    grow(simd, 4 * rowBytes + PAGE);
    simd.end = align(kernels.place(align(kernels.heap()), rowBytes));
    simd.rowBytes = rowBytes;
  }
  grow(simd, simd.end + bytes);
  if (simd.float32.buffer !== memory.buffer) Object.assign(simd, views(memory));
  return simd.end;
}

function grow({ memory }: Simd, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
  if (missing > 0) memory.grow(missing);
}

/** The next address for a vector. */
export function align(address: number): number {
  return (address + 15) & ~15;
}
