// Which kernel runs, and in which memory.

import { checkChoice, refuse } from '../errors.js';
import { BASELINE, FUSED } from './simd/binaries.js';
import {
  compile,
  engine,
  FIRST_ADDRESS,
  instantiate,
  type Memory,
  type Simd,
} from './simd/instance.js';

/**
 * `'fma'`: 128-bit vectors with fused multiply-add (relaxed SIMD); `'simd'`: 128-bit vectors, with the same bits on
 * every machine; `'scalar'`: JavaScript.
 */
export type KernelName = 'fma' | 'simd' | 'scalar';

export interface KernelInfo {
  /** The kernel that runs. */
  readonly kernel: KernelName;
  /** Why this one. */
  readonly reason: string;
}

interface Choice extends KernelInfo {
  /** What the kernel was compiled to, and its instances by the memory they work in. */
  readonly module?: object;
  readonly instances: WeakMap<ArrayBufferLike, Simd>;
  /** The instance for arrays of the JavaScript heap, which are copied. */
  readonly simd?: Simd;
}

const SOURCES = { fma: FUSED, simd: BASELINE };

let choice: Choice | undefined;

/** Where in the memory of an arena rows are worked on, and how many bytes they may have. */
interface ArenaWorkspace {
  readonly workspace: number;
  readonly rowBytes: number;
}

const arenas = new WeakMap<ArrayBufferLike, ArenaWorkspace & { readonly memory: Memory }>();

function choose(kernel: KernelName, reason: string): Choice {
  if (kernel === 'scalar') return { kernel, reason, instances: new WeakMap() };
  const module = compile(SOURCES[kernel]);
  const memory = new (engine().Memory)({ initial: 4 });
  const simd = instantiate(module, memory, FIRST_ADDRESS);
  return { kernel, reason, module, instances: new WeakMap(), simd };
}

/** The fastest kernel that this engine takes. */
function best(): Choice {
  let reason = 'the engine has relaxed SIMD';
  for (const kernel of ['fma', 'simd'] as const) {
    try {
      return choose(kernel, reason);
    } catch (error) {
      reason = `the ${kernel} kernel failed: ${messageOf(error)}`;
    }
  }
  return choose('scalar', reason);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * The instance to compute with in a memory of its own, to and from which numbers are copied; compiled at the first
 * call. `undefined`: compute in JavaScript.
 */
export function simdKernel(): Simd | undefined {
  choice ??= best();
  return choice.simd;
}

/** The instance to compute with in the memory of an arena, on rows of so many bytes, if `buffer` is one. */
export function arenaKernel(buffer: ArrayBufferLike, rowBytes: number): Simd | undefined {
  choice ??= best();
  const { module, instances } = choice;
  const arena = arenas.get(buffer);
  if (!arena || !module || rowBytes > arena.rowBytes) return undefined;
  let instance = instances.get(buffer);
  if (instance?.workspace !== arena.workspace) {
    instance = instantiate(module, arena.memory, arena.workspace);
    instances.set(buffer, instance);
  }
  return instance;
}

/** Has matrices in this memory computed where they are. It must not grow. */
export function addArena(memory: Memory, { workspace, rowBytes }: ArenaWorkspace): void {
  arenas.set(memory.buffer, { memory, workspace, rowBytes });
}

/**
 * Which kernel computes, and why. The first use compiles it.
 *
 * @example
 * import { kernelInfo } from 'knowledge-distillation';
 *
 * console.log(kernelInfo().kernel); // 'fma', 'simd' or 'scalar'
 */
export function kernelInfo(): KernelInfo {
  choice ??= best();
  const { kernel, reason } = choice;
  return { kernel, reason };
}

/**
 * Has all strategies compute with one kernel from now on: `'simd'` gives the same bits on every machine. `'auto'` goes
 * back to the fastest.
 *
 * @throws {DistillationError} UNAVAILABLE where the engine does not take it
 * @example
 * import { selectKernel } from 'knowledge-distillation';
 *
 * selectKernel('scalar');
 * selectKernel('auto');
 */
export function selectKernel(kernel: KernelName | 'auto'): void {
  const operation = 'selectKernel';
  checkChoice(operation, 'kernel', kernel, ['auto', 'fma', 'simd', 'scalar']);
  try {
    choice = kernel === 'auto' ? best() : choose(kernel, 'it was selected');
  } catch (error) {
    const received = `${kernel} (${messageOf(error)})`;
    refuse('UNAVAILABLE', operation, 'kernel', 'be one that this engine has', received);
  }
}
