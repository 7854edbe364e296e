// The memories of arenas, and who computes in them.

import type { FloatArray, NumericTrait } from '../core/numeric.js';
import { type KernelName, moduleOf, selectedKernel } from './choice.js';
import type { Memory } from './compile.js';
import { align, Instance } from './instance.js';
import type { Threads } from './threads.js';

export interface ArenaMemory {
  readonly memory: Memory;
  readonly shared: boolean;
  /** Where the next matrix starts. */
  next: number;
  /** Up to here, the memory may hold numbers that no matrix holds. */
  used: number;
  /** Helpers of the main thread, and the kernel that they run. */
  threads: Threads | undefined;
  /**
   * The workspace of the main thread. Behind it there is as much room for each of the other
   * threads.
   */
  workspace: number;
  workspaceBytes: number;
  readonly instances: Map<KernelName, Instance>;
}

const arenas = new WeakMap<ArrayBufferLike, ArenaMemory>();

/** Has matrices in this memory computed where they are. */
export function addArena(arena: ArenaMemory): void {
  arenas.set(arena.memory.buffer, arena);
}

/** The arena whose memory holds all of the arrays, if one does. */
export function arenaOf(arrays: readonly FloatArray[]): ArenaMemory | undefined {
  const { buffer } = arrays[0]!;
  return arrays.every((array) => array.buffer === buffer) ? arenas.get(buffer) : undefined;
}

/** Computes in an arena with a workspace of `bytes`; `undefined`: the numbers have to be copied. */
export function arenaInstance(arena: ArenaMemory, bytes: number): Instance | undefined {
  const kernel = selectedKernel();
  if (kernel === 'scalar' || bytes > arena.workspaceBytes) return undefined;
  const { memory, shared, workspace, instances } = arena;
  let instance = instances.get(kernel);
  if (instance?.workspace !== workspace) {
    instance = new Instance(memory, workspace, (binary) => moduleOf(binary, kernel, shared));
    instances.set(kernel, instance);
  }
  return instance;
}

/** The numbers from an address on. */
export function arrayIn<T extends FloatArray>(
  { memory: { buffer } }: ArenaMemory,
  address: number,
  length: number,
  { dtype }: NumericTrait<T>,
): T {
  const array =
    dtype === 'float64'
      ? new Float64Array(buffer, address, length)
      : new Float32Array(buffer, address, length);
  return array as FloatArray as T;
}

/** Room behind the matrices of an arena, for as long as a call. */
export class Scratch {
  readonly #arena: ArenaMemory;
  readonly #start: number;
  #end: number;

  constructor(arena: ArenaMemory) {
    this.#arena = arena;
    this.#start = arena.next;
    this.#end = arena.next;
  }

  /**
   * The address of room that holds any numbers; `undefined` where the arena has not so much left.
   */
  take(bytes: number): number | undefined {
    const arena = this.#arena;
    const address = arena.next;
    const end = address + align(bytes);
    if (end > arena.memory.buffer.byteLength) return undefined;
    this.#end = end;
    arena.next = end;
    arena.used = Math.max(arena.used, end);
    return address;
  }

  /** Gives the room back, unless a matrix stands behind it. */
  close(): void {
    if (this.#arena.next === this.#end) this.#arena.next = this.#start;
  }
}
