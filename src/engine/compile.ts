// Compiles the text of a binary to a WebAssembly module, and creates memories and instances.

/** Name of a kernel that is compiled to WebAssembly. */
export type CompiledKernel = 'fma' | 'simd';

/** WebAssembly module of several kernels; assembly/compile.ts writes it. */
export interface Binary {
  readonly name: string;
  /**
   * The module as hexadecimal text, with marks in place of the instructions in which `fma` and
   * `simd` differ.
   */
  readonly text: string;
}

/**
 * Replacements of the marks, by the second byte of a mark. Two marks stand for a multiplication and
 * the addition after it. The kernel `simd` replaces them by the two instructions, the kernel `fma`
 * by two `nop` and the fused instruction (relaxed SIMD). Every mark and every replacement is three
 * bytes long.
 */
const MARKS: Readonly<Record<number, Readonly<Record<CompiledKernel, readonly number[]>>>> = {
  141: { simd: [0xfd, 0xe6, 0x01], fma: [0x01, 0x01, 0x01] }, // f32x4.mul
  142: { simd: [0xfd, 0xe4, 0x01], fma: [0xfd, 0x85, 0x02] }, // f32x4.add, f32x4.relaxed_madd
  143: { simd: [0xfd, 0xf2, 0x01], fma: [0x01, 0x01, 0x01] }, // f64x2.mul
  144: { simd: [0xfd, 0xf0, 0x01], fma: [0xfd, 0x87, 0x02] }, // f64x2.add, f64x2.relaxed_madd
};

/** The part of `WebAssembly.Memory` that the engine uses. */
export interface Memory {
  readonly buffer: ArrayBufferLike;
  readonly grow: (pages: number) => number;
}

/**
 * The part of WebAssembly that the engine uses. TypeScript declares WebAssembly only for programs
 * that include the types of the DOM or of Node, and the library includes neither.
 */
interface WebAssemblyEngine {
  readonly Memory: new (size: { initial: number; maximum: number; shared?: boolean }) => Memory;
  readonly Module: {
    new (bytes: Uint8Array): object;
    customSections: (module: object, name: string) => readonly ArrayBuffer[];
  };
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

/** Bytes of a page of WebAssembly memory, by the specification. */
export const PAGE = 65536;

/** Largest number of pages of a memory with 32-bit addresses: 4 GiB. */
const MAX_PAGES = 65536;

function findEngine(): WebAssemblyEngine | undefined {
  return (globalThis as unknown as { WebAssembly?: WebAssemblyEngine }).WebAssembly;
}

/** Returns WebAssembly; throws if the environment has none. */
function engine(): WebAssemblyEngine {
  const found = findEngine();
  if (!found) throw new Error('there is no WebAssembly');
  return found;
}

/** Name of the custom section that holds the names of the binary and of the kernel. */
const SECTION = 'knowledge-distillation';

/**
 * Hexadecimal bytes of a module before the kind of the memory that it imports: the names `env` and
 * `memory`, and the import type 2.
 */
const BEFORE_KIND = '03656e76066d656d6f727902';

/**
 * Returns the bytes of the module of a kernel. A module imports either a memory that threads share
 * or a memory of one thread; the two modules differ in one byte.
 */
export function bytesOf({ text }: Binary, kernel: CompiledKernel, shared: boolean): Uint8Array {
  const bytes = Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
  for (const at of marksIn(bytes)) bytes.set(MARKS[bytes[at + 1]!]![kernel], at);
  if (shared) bytes[(text.indexOf(BEFORE_KIND) + BEFORE_KIND.length) / 2] = 3;
  return bytes;
}

/** Returns the index of each mark. */
export function marksIn(bytes: Uint8Array): number[] {
  const places: number[] = [];
  for (let i = 0; i + 2 < bytes.length; i++) {
    if (bytes[i] === 0xfd && bytes[i + 2] === 0x02 && MARKS[bytes[i + 1]!]) places.push(i);
  }
  return places;
}

/**
 * Returns the bytes of a module for the memory of one thread, with a custom section for
 * {@link labelOf} that names the binary and the kernel.
 */
export function labeledBytes(binary: Binary, kernel: CompiledKernel): Uint8Array {
  const text = (value: string) => Array.from(value, (letter) => letter.charCodeAt(0));
  const label = text(`${binary.name} ${kernel}`);
  const body = [SECTION.length, ...text(SECTION), ...label];
  return Uint8Array.of(...bytesOf(binary, kernel, false), 0, body.length, ...body);
}

/**
 * Compiles a module; throws the error of the engine if it cannot compile WebAssembly or this
 * module.
 */
export function compileModule(bytes: Uint8Array): object {
  return new (engine().Module)(bytes);
}

/**
 * Returns the binary and the kernel of a compiled module; undefined for anything that is no module
 * of this library.
 */
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

/** Returns the exports of a new instance of a module with this memory. */
export function instantiate(module: object, memory: Memory): object {
  return new (engine().Instance)(module, { env: { memory } }).exports;
}

/** Creates a memory that can grow. */
export function growingMemory(): Memory {
  return new (engine().Memory)({ initial: 4, maximum: MAX_PAGES });
}

/**
 * Creates a memory of a fixed size, which never moves. Without WebAssembly it is an `ArrayBuffer`.
 */
export function fixedMemory(bytes: number, shared: boolean): Memory {
  const pages = Math.ceil(bytes / PAGE);
  if (!findEngine() && !shared) return { buffer: new ArrayBuffer(bytes), grow: () => -1 };
  return new (engine().Memory)({ initial: pages, maximum: pages, shared });
}
