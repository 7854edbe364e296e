// Finds the arena of a call's matrices, and the instance that computes in it.

import type { FloatArray, NumericTrait } from '../core/numeric.js';
import { type KernelName, moduleOf, selectedKernel } from './choice.js';
import type { Memory } from './compile.js';
import { align, Instance } from './instance.js';
import type { Threads } from './threads.js';

/** Memory of an arena, and the state of its allocation. */
export interface ArenaMemory {
  readonly memory: Memory;
  /** Whether threads share the memory. */
  readonly shared: boolean;
  /** Address of the next matrix. */
  next: number;
  /** The memory before this address may hold numbers of an earlier call: a new matrix is zeroed. */
  used: number;
  /** Threads beside the calling thread. */
  threads: Threads | undefined;
  /**
   * Address of the workspace of the calling thread. The workspaces of the other threads follow it.
   */
  workspace: number;
  /** Bytes of the workspace of one thread. */
  workspaceBytes: number;
  readonly instances: Map<KernelName, Instance>;
}

const arenas = new WeakMap<ArrayBufferLike, ArenaMemory>();

/** Registers an arena, so that {@link arenaOf} finds it. */
export function addArena(arena: ArenaMemory): void {
  arenas.set(arena.memory.buffer, arena);
}

/** Returns the arena whose memory holds all of the arrays; undefined if there is none. */
export function arenaOf(arrays: readonly FloatArray[]): ArenaMemory | undefined {
  const { buffer } = arrays[0]!;
  return arrays.every((array) => array.buffer === buffer) ? arenas.get(buffer) : undefined;
}

/**
 * Returns the instance that computes in an arena. Undefined if the numbers have to be copied:
 * JavaScript computes, or the workspace has fewer than `bytes`.
 */
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

/** Returns a view on `length` numbers from an address on. */
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

/** Allocates scratch buffers behind the matrices of an arena, for the duration of a call. */
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
   * Returns the address of a scratch buffer with unspecified content; undefined if fewer than
   * `bytes` are free.
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

  /** Frees the scratch buffers, unless a matrix was allocated behind them. */
  close(): void {
    if (this.#arena.next === this.#end) this.#arena.next = this.#start;
  }
}
