// WebAssembly as far as the kernels need it: from the text of a binary to a module, memories,
// instances.

/** The kernels that are compiled. */
export type CompiledKernel = 'fma' | 'simd';

/** Kernels compiled for the memory of one thread; made by assembly/compile.ts. */
export interface Binary {
  readonly name: string;
  /** The module as hexadecimal text, with marks where instructions are those of a kernel. */
  readonly text: string;
}

/**
 * The instructions that mark a multiplication and the addition behind it, by their second byte, and
 * what they become: the two, for every machine with vectors of 128 bits; or nothing and their
 * fusion (relaxed SIMD). All are three bytes long.
 */
const MARKS: Readonly<Record<number, Readonly<Record<CompiledKernel, readonly number[]>>>> = {
  141: { simd: [0xfd, 0xe6, 0x01], fma: [0x01, 0x01, 0x01] }, // f32x4.mul
  142: { simd: [0xfd, 0xe4, 0x01], fma: [0xfd, 0x85, 0x02] }, // f32x4.add, f32x4.relaxed_madd
  143: { simd: [0xfd, 0xf2, 0x01], fma: [0x01, 0x01, 0x01] }, // f64x2.mul
  144: { simd: [0xfd, 0xf0, 0x01], fma: [0xfd, 0x87, 0x02] }, // f64x2.add, f64x2.relaxed_madd
};

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

/** The custom section of a module that says which binary and kernel it is. */
const SECTION = 'knowledge-distillation';

/**
 * What a module says before the kind of the memory that it imports: the names `env` and `memory`.
 */
const BEFORE_KIND = '03656e76066d656d6f727902';

/**
 * The bytes of the module of a kernel, for a memory that threads share or for one of a single
 * thread. The kinds of memory differ in one byte, and a module takes one of them.
 */
export function bytesOf({ text }: Binary, kernel: CompiledKernel, shared: boolean): Uint8Array {
  const bytes = Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
  for (const at of marksIn(bytes)) bytes.set(MARKS[bytes[at + 1]!]![kernel], at);
  if (shared) bytes[(text.indexOf(BEFORE_KIND) + BEFORE_KIND.length) / 2] = 3;
  return bytes;
}

/** Where marks stand. */
export function marksIn(bytes: Uint8Array): number[] {
  const places: number[] = [];
  for (let i = 0; i + 2 < bytes.length; i++) {
    if (bytes[i] === 0xfd && bytes[i + 2] === 0x02 && MARKS[bytes[i + 1]!]) places.push(i);
  }
  return places;
}

/**
 * The bytes of a module for the memory of one thread, with a custom section that says which binary
 * and kernel it is, for {@link labelOf}.
 */
export function labeledBytes(binary: Binary, kernel: CompiledKernel): Uint8Array {
  const text = (value: string) => Array.from(value, (letter) => letter.charCodeAt(0));
  const label = text(`${binary.name} ${kernel}`);
  const body = [SECTION.length, ...text(SECTION), ...label];
  return Uint8Array.of(...bytesOf(binary, kernel, false), 0, body.length, ...body);
}

/** Throws what the engine throws where it compiles no WebAssembly, or not this module. */
export function compileModule(bytes: Uint8Array): object {
  return new (engine().Module)(bytes);
}

/**
 * Which binary and kernel a compiled module is; `undefined` for what is no module of this library.
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
