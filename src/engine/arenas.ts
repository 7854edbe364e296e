// The memories of arenas, and who computes in them.

import type { FloatArray } from '../core/numeric.js';
import { type KernelName, moduleOf, selectedKernel } from './choice.js';
import type { Memory } from './compile.js';
import { Instance } from './instance.js';
import type { Threads } from './threads.js';

export interface ArenaMemory {
  readonly memory: Memory;
  readonly shared: boolean;
  /** Helpers of the main thread, and the kernel that they run. */
  threads: Threads | undefined;
  /** The workspace of the main thread. Behind it there is as much room for each of the other threads. */
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
