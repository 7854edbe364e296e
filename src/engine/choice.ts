// Selects the kernel that computes.

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
 * Name of a kernel.
 *
 * - `'fma'`: WebAssembly with 128-bit vectors and fused multiply-add (relaxed SIMD)
 * - `'simd'`: WebAssembly with 128-bit vectors; the same bits on every machine
 * - `'scalar'`: JavaScript
 */
export type KernelName = 'fma' | 'simd' | 'scalar';

/** Result of {@link kernelInfo}. */
export interface KernelInfo {
  /** The kernel that computes. */
  readonly kernel: KernelName;
  /** Why this kernel was chosen, in English. */
  readonly reason: string;
}

interface Choice extends KernelInfo {
  /** The instance for numbers that are copied in and out; undefined if JavaScript computes. */
  readonly instance: Instance | undefined;
}

/**
 * Compiled modules by binary, kernel and kind of memory. They are kept, because an engine runs the
 * code of every new module slowly at first.
 */
const modules = new Map<string, object | undefined>();
const instances = new Map<string, Instance>();

let choice: Choice | undefined;

function keyOf(binary: string, kernel: CompiledKernel, shared: boolean): string {
  return `${binary}, ${kernel}, shared: ${shared}`;
}

/**
 * Returns the compiled module of a binary; undefined if the engine cannot compile it.
 *
 * @param shared - whether threads share the memory that the module imports
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
      // The engine forbids compilation at run time: only modules that were passed in can run.
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

/** Selects the kernel of modules that the caller compiled. */
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

/** Selects the fastest kernel that this engine can run. */
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
  // Node's name of the flag.
  return message.replace('--experimental-relaxed-simd', '--experimental-wasm-relaxed-simd');
}

/**
 * Returns the instance with a memory of its own, to and from which numbers are copied; undefined if
 * JavaScript computes.
 */
export function selectedInstance(): Instance | undefined {
  choice ??= best();
  return choice.instance;
}

/** Returns the kernel that computes. */
export function selectedKernel(): KernelName {
  choice ??= best();
  return choice.kernel;
}

/**
 * Returns the kernel that computes, and why it was chosen.
 *
 * @returns the name of the kernel, and the reason in English
 * @example
 * ```ts
 * import { kernelInfo } from 'knowledge-distillation';
 *
 * const { kernel } = kernelInfo();
 * console.log(['fma', 'simd', 'scalar'].includes(kernel)); // true
 * ```
 */
export function kernelInfo(): KernelInfo {
  choice ??= best();
  const { kernel, reason } = choice;
  return { kernel, reason };
}

/**
 * Selects the kernel with which all strategies compute from now on. `'simd'` gives the same bits on
 * every machine. `'auto'` selects the fastest kernel that the engine can run, which is the default.
 *
 * @param kernel - name of a kernel. Where WebAssembly cannot be compiled at run time: a compiled
 * module of a file
 * `knowledge-distillation/wasm/{response,divergences,numbers,products}.{fma,simd}.wasm`, or an
 * array of modules of one kernel. A strategy that needs a missing module computes in JavaScript
 * @throws {DistillationError} UNAVAILABLE if the engine cannot run the kernel
 * @throws {TypeError} for a module that is not of this library
 * @example
 * ```ts
 * import { kernelInfo, selectKernel } from 'knowledge-distillation';
 *
 * selectKernel('scalar');
 * console.log(kernelInfo().kernel); // scalar
 * selectKernel('auto');
 * ```
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
