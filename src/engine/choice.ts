// Which kernel runs.

import { checkChoice, refuse, throwType } from '../core/errors.js';
import { PROBE } from './binaries/probe.js';
import {
  type Binary,
  bytesOf,
  type CompiledKernel,
  compileModule,
  growingMemory,
  labelOf,
} from './compile.js';
import { Instance } from './instance.js';
import { FIRST_ADDRESS } from './layout.js';

/**
 * `'fma'`: 128-bit vectors with fused multiply-add (relaxed SIMD); `'simd'`: 128-bit vectors, with
 * the same bits on every machine; `'scalar'`: JavaScript.
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
  /** Computes on numbers that are copied in and out; `undefined` where JavaScript computes. */
  readonly instance: Instance | undefined;
}

/**
 * Compiled modules are kept: an engine runs the same code slowly again at first for every new
 * module.
 */
const modules = new Map<string, object | undefined>();
const instances = new Map<string, Instance>();

let choice: Choice | undefined;

function keyOf(binary: string, kernel: CompiledKernel, shared: boolean): string {
  return `${binary}, ${kernel}, shared: ${shared}`;
}

/**
 * The compiled module of a binary for memories of either kind; `undefined` where the engine does
 * not compile it.
 */
export function moduleOf(
  binary: Binary,
  kernel: CompiledKernel,
  shared: boolean,
): object | undefined {
  const key = keyOf(binary.name, kernel, shared);
  if (!modules.has(key)) {
    let module: object | undefined;
    try {
      module = compileModule(bytesOf(binary, kernel, shared));
    } catch {
      // Only modules that are passed in run here.
    }
    modules.set(key, module);
  }
  return modules.get(key);
}

function choose(kernel: KernelName, reason: string): Choice {
  if (kernel === 'scalar') return { kernel, reason, instance: undefined };
  compileModule(bytesOf(PROBE, kernel, false)); // throws where the engine does not take the kernel
  return { kernel, reason, instance: instanceOf(kernel) };
}

function instanceOf(kernel: CompiledKernel): Instance {
  const instance =
    instances.get(kernel) ??
    new Instance(growingMemory(), FIRST_ADDRESS, (binary) => moduleOf(binary, kernel, false));
  instances.set(kernel, instance);
  return instance;
}

/** The kernel of modules that were compiled elsewhere. */
function chooseModules(operation: string, given: readonly object[]): Choice {
  if (given.length === 0) refuse('EMPTY', operation, 'kernel', 'hold at least one module', 'none');
  const labeled = given.map((module) => {
    const label = labelOf(module);
    const hint =
      'pass the WebAssembly.Module of a file knowledge-distillation/wasm/…: compile its bytes, await a promise, take .default';
    if (!label) throwType(operation, 'kernel', 'be modules of this library', module, hint);
    return { module, ...label };
  });
  const { kernel } = labeled[0]!;
  const other = labeled.find((each) => each.kernel !== kernel);
  if (other) {
    refuse('OUT_OF_RANGE', operation, 'kernel', `be all of '${kernel}'`, `'${other.kernel}' too`);
  }
  for (const { module, binary } of labeled) modules.set(keyOf(binary, kernel, false), module);
  return { kernel, reason: 'its modules were passed in', instance: instanceOf(kernel) };
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
  const message = error instanceof Error ? error.message : String(error);
  return message.replace('--experimental-relaxed-simd', '--experimental-wasm-relaxed-simd'); // Node's name of the flag
}

/**
 * Computes in a memory of its own, to and from which numbers are copied. `undefined`: compute in
 * JavaScript.
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
 * Has all strategies compute with one kernel from now on: `'simd'` gives the same bits on every
 * machine. `'auto'` goes back to the fastest.
 *
 * @param kernel - a name; or, where WebAssembly cannot be compiled at run time, compiled modules of
 * the files `knowledge-distillation/wasm/{response,divergences,numbers,products}.{fma,simd}.wasm`,
 * one of them or an array of modules of one kernel. A strategy of whose modules one is missing
 * there computes in JavaScript.
 * @throws {DistillationError} UNAVAILABLE where the engine does not take it; `TypeError` for other
 * modules
 * @example
 * import { selectKernel } from 'knowledge-distillation';
 *
 * selectKernel('scalar');
 * selectKernel('auto');
 */
export function selectKernel(kernel: KernelName | 'auto' | object | readonly object[]): void {
  const operation = 'selectKernel';
  if (typeof kernel === 'object' && kernel !== null) {
    choice = chooseModules(operation, Array.isArray(kernel) ? kernel : [kernel]);
    return;
  }
  checkChoice(operation, 'kernel', kernel, ['auto', 'fma', 'simd', 'scalar']);
  try {
    choice = kernel === 'auto' ? best() : choose(kernel, 'it was selected');
  } catch (error) {
    const received = `${kernel} (${messageOf(error)})`;
    refuse('UNAVAILABLE', operation, 'kernel', 'be one that this engine has', received);
  }
}
