// WebAssembly as far as the kernels need it: from the text of a binary to a module, memories, instances.

import { SECTION } from './layout.js';

/** The kernels that are compiled. */
export type CompiledKernel = 'fma' | 'simd';

/** Kernels compiled for the memory of one thread, as hexadecimal text; made by assembly/compile.ts. */
export interface Binary {
  readonly name: string;
  /** For every machine with vectors of 128 bits. */
  readonly simd: string;
  /** For machines with fused multiply-add too (relaxed SIMD). */
  readonly fma: string;
}

export interface Memory {
  readonly buffer: ArrayBufferLike;
  readonly grow: (pages: number) => number;
}

/** The part of WebAssembly that is used; where there is neither a DOM nor Node, it has no types. */
interface WebAssemblyEngine {
  readonly Memory: new (size: { initial: number; maximum: number; shared?: boolean }) => Memory;
  readonly Module: {
    new (bytes: Uint8Array): object;
    customSections: (module: object, name: string) => readonly ArrayBuffer[];
  };
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

export const PAGE = 65536;

/** The largest number of pages that a memory can have. */
const MOST_PAGES = 65536;

function findEngine(): WebAssemblyEngine | undefined {
  return (globalThis as unknown as { WebAssembly?: WebAssemblyEngine }).WebAssembly;
}

/** Throws where there is no WebAssembly. */
function engine(): WebAssemblyEngine {
  const found = findEngine();
  if (!found) throw new Error('there is no WebAssembly');
  return found;
}

/** What a module says before the kind of the memory that it imports: the names `env` and `memory`. */
const BEFORE_KIND = '03656e76066d656d6f727902';

/**
 * The bytes of a module, for a memory that threads share or for one of a single thread. The kinds differ in one byte,
 * and a module takes one of them.
 */
export function bytesOf(hex: string, shared: boolean): Uint8Array {
  const bytes = Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
  if (shared) bytes[(hex.indexOf(BEFORE_KIND) + BEFORE_KIND.length) / 2] = 3;
  return bytes;
}

/** Throws what the engine throws where it compiles no WebAssembly, or not this module. */
export function compileModule(bytes: Uint8Array): object {
  return new (engine().Module)(bytes);
}

/** Which binary and kernel a compiled module is; `undefined` for what is no module of this library. */
export function labelOf(module: unknown): { binary: string; kernel: CompiledKernel } | undefined {
  const engine = findEngine();
  if (!engine || typeof module !== 'object' || module === null) return undefined;
  try {
    const [section] = engine.Module.customSections(module, SECTION);
    const [binary, kernel] = String.fromCharCode(...new Uint8Array(section!)).split(' ');
    return kernel === 'fma' || kernel === 'simd' ? { binary: binary!, kernel } : undefined;
  } catch {
    return undefined;
  }
}

/** The exports of a new instance that works in the memory. */
export function instantiate(module: object, memory: Memory): object {
  return new (engine().Instance)(module, { env: { memory } }).exports;
}

/** A memory that grows as it is needed. */
export function growingMemory(): Memory {
  return new (engine().Memory)({ initial: 4, maximum: MOST_PAGES });
}

/** A memory of a size, which never moves; without WebAssembly it is of the JavaScript heap. */
export function fixedMemory(bytes: number, shared: boolean): Memory {
  const pages = Math.ceil(bytes / PAGE);
  if (!findEngine() && !shared) return { buffer: new ArrayBuffer(bytes), grow: () => -1 };
  return new (engine().Memory)({ initial: pages, maximum: pages, shared });
}
