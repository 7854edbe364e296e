// Which kernel runs.

import { checkChoice, refuse } from '../errors.js';
import { BASELINE, FUSED } from './simd/binaries.js';
import { instantiate, type Simd } from './simd/instance.js';

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
  readonly simd: Simd | undefined;
}

const SOURCES = { fma: FUSED, simd: BASELINE };

let choice: Choice | undefined;

/** Compiles a kernel, or says why it cannot be had. */
function attempt(kernel: 'fma' | 'simd'): Simd | string {
  try {
    return instantiate(SOURCES[kernel]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The fastest kernel that this engine takes. */
function best(): Choice {
  const fused = attempt('fma');
  if (typeof fused === 'object') {
    return { kernel: 'fma', reason: 'the engine has relaxed SIMD', simd: fused };
  }
  const baseline = attempt('simd');
  if (typeof baseline === 'object') {
    return { kernel: 'simd', reason: `no relaxed SIMD: ${fused}`, simd: baseline };
  }
  return { kernel: 'scalar', reason: `no SIMD: ${baseline}`, simd: undefined };
}

/** The instance to compute with, compiled at the first call; `undefined`: in JavaScript. */
export function simdKernel(): Simd | undefined {
  choice ??= best();
  return choice.simd;
}

/**
 * Which kernel computes, and why. The first use of a kernel compiles it.
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
  if (kernel === 'auto') {
    choice = best();
    return;
  }
  const reason = 'it was selected';
  if (kernel === 'scalar') {
    choice = { kernel, reason, simd: undefined };
    return;
  }
  const simd = attempt(kernel);
  if (typeof simd === 'string') {
    refuse(
      'UNAVAILABLE',
      operation,
      'kernel',
      'be one that this engine has',
      `${kernel} (${simd})`,
    );
  }
  choice = { kernel, reason, simd };
}
