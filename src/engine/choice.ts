// Which kernel runs, and in which memory.

import { checkChoice, refuse } from '../core/errors.js';
import { BASELINE, FUSED } from './binaries.js';
import { compile, FIRST_ADDRESS, growingMemory, instantiate, type Simd } from './instance.js';

/**
 * `'fma'`: 128-bit vectors with fused multiply-add (relaxed SIMD); `'simd'`: 128-bit vectors, with the same bits on
 * every machine; `'scalar'`: JavaScript.
 */
export type KernelName = 'fma' | 'simd' | 'scalar';

/** What {@link kernelInfo} says. */
export interface KernelInfo {
  /** The kernel that runs. */
  readonly kernel: KernelName;
  /** Why this one. */
  readonly reason: string;
}

interface Choice extends KernelInfo {
  /** The instance for arrays of the JavaScript heap, which are copied. */
  readonly simd: Simd | undefined;
}

const SOURCES = { fma: FUSED, simd: BASELINE };

/** What was compiled is kept: an engine runs the same code slowly again at first for every new module. */
const modules = new Map<string, object>();
const instances = new Map<string, Simd>();

let choice: Choice | undefined;

/** The compiled kernel for memories of either kind. */
export function moduleOf(kernel: 'fma' | 'simd', shared: boolean): object {
  const key = `${kernel}, shared: ${shared}`;
  const module = modules.get(key) ?? compile(SOURCES[kernel], shared);
  modules.set(key, module);
  return module;
}

function choose(kernel: KernelName, reason: string): Choice {
  if (kernel === 'scalar') return { kernel, reason, simd: undefined };
  const simd =
    instances.get(kernel) ?? instantiate(moduleOf(kernel, false), growingMemory(), FIRST_ADDRESS);
  instances.set(kernel, simd);
  return { kernel, reason, simd };
}

/** The fastest kernel that this engine takes. */
function best(): Choice {
  let reason = 'the fastest there is';
  for (const kernel of ['fma', 'simd'] as const) {
    try {
      return choose(kernel, reason);
    } catch (error) {
      reason = `this engine does not take the ${kernel} kernel (${messageOf(error)})`;
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

/** The kernel that computes. */
export function selectedKernel(): KernelName {
  choice ??= best();
  return choice.kernel;
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
