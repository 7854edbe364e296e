// Which kernel runs.

import { checkChoice, refuse } from '../core/errors.js';
import { PROBE } from './binaries/probe.js';
import { type Binary, bytesOf, compileModule, growingMemory } from './compile.js';
import { Instance } from './instance.js';
import { FIRST_ADDRESS } from './layout.js';

/**
 * `'fma'`: 128-bit vectors with fused multiply-add (relaxed SIMD); `'simd'`: 128-bit vectors, with the same bits on
 * every machine; `'scalar'`: JavaScript.
 */
export type KernelName = 'fma' | 'simd' | 'scalar';

/** The kernels that are compiled. */
export type CompiledKernel = Exclude<KernelName, 'scalar'>;

/** What {@link kernelInfo} says. */
export interface KernelInfo {
  /** The kernel that runs. */
  readonly kernel: KernelName;
  /** Why this one. */
  readonly reason: string;
}

interface Choice extends KernelInfo {
  /** Computes on numbers that are copied in and out; `undefined` where JavaScript computes. */
  readonly instance: Instance | undefined;
}

/** Compiled modules are kept: an engine runs the same code slowly again at first for every new module. */
const modules = new Map<string, object>();
const instances = new Map<KernelName, Instance>();

let choice: Choice | undefined;

/** The compiled module of a binary for memories of either kind. */
export function moduleOf(binary: Binary, kernel: CompiledKernel, shared: boolean): object {
  const key = `${binary.name}, ${kernel}, shared: ${shared}`;
  const module = modules.get(key) ?? compileModule(bytesOf(binary[kernel], shared));
  modules.set(key, module);
  return module;
}

function choose(kernel: KernelName, reason: string): Choice {
  if (kernel === 'scalar') return { kernel, reason, instance: undefined };
  moduleOf(PROBE, kernel, false); // throws where the engine does not take the kernel
  const instance =
    instances.get(kernel) ??
    new Instance(growingMemory(), FIRST_ADDRESS, (binary) => moduleOf(binary, kernel, false));
  instances.set(kernel, instance);
  return { kernel, reason, instance };
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
 * Computes in a memory of its own, to and from which numbers are copied. `undefined`: compute in JavaScript.
 */
export function selectedInstance(): Instance | undefined {
  choice ??= best();
  return choice.instance;
}

/** The kernel that computes. */
export function selectedKernel(): KernelName {
  choice ??= best();
  return choice.kernel;
}

/**
 * Which kernel computes, and why.
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
