// The memories of arenas, and who computes in them.

import { type KernelName, moduleOf, selectedKernel } from './choice.js';
import { instantiate, type Memory, type Simd } from './instance.js';
import type { Threads } from './threads.js';

export interface ArenaMemory {
  readonly memory: Memory;
  readonly shared: boolean;
  /** Helpers of the main thread, and the kernel that they run. */
  threads: Threads | undefined;
  /** Where rows of up to so many bytes are worked on; behind it there is as much room for each of the threads. */
  workspace: number;
  rowBytes: number;
  readonly instances: Map<KernelName, Simd>;
}

const arenas = new WeakMap<ArrayBufferLike, ArenaMemory>();

/** Has matrices in this memory computed where they are. */
export function addArena(arena: ArenaMemory): void {
  arenas.set(arena.memory.buffer, arena);
}

/** The arena that a buffer is the memory of. */
export function arenaOf(buffer: ArrayBufferLike): ArenaMemory | undefined {
  return arenas.get(buffer);
}

/** The instance that computes in an arena, on rows of so many bytes; `undefined`: the numbers have to be copied. */
export function arenaKernel(arena: ArenaMemory | undefined, rowBytes: number): Simd | undefined {
  const kernel = selectedKernel();
  if (!arena || kernel === 'scalar' || rowBytes > arena.rowBytes) return undefined;
  const { memory, shared, workspace, instances } = arena;
  let instance = instances.get(kernel);
  if (instance?.workspace !== workspace) {
    instance = instantiate(moduleOf(kernel, shared), memory, workspace);
    instances.set(kernel, instance);
  }
  return instance;
}
