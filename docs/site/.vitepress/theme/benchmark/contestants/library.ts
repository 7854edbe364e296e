// This library, called as its users call it.

import {
  type EvaluationOptions,
  type FloatArray,
  type KernelName,
  kernelInfo,
  type Matrix,
  ResponseDistillationStrategy,
  selectKernel,
} from 'knowledge-distillation';
import { type Place, placeFor } from '../../../../../../bench/library.js';
import { ALPHA, TEMPERATURE } from '../../../../../../bench/problem.js';
import type { Prepare, Ready, Work } from './contestant.js';

export const newGradient: Prepare = (work) => prepare(work);

export const outputBuffer: Prepare = (work) => prepare(work, { hasBuffer: true });

export const inArena: Prepare = (work) => {
  needWebAssembly();
  return prepare(work, { hasBuffer: true, place: 'arena' });
};

export const onThreads: Prepare = async (work) => {
  if (!crossOriginIsolated) throw new Error('threads need an isolated page');
  needWebAssembly();
  const threads = Math.min(4, navigator.hardwareConcurrency);
  if (threads < 2) throw new Error('this machine has one core');
  const ready = await prepare(work, { hasBuffer: true, place: 'arena', threads });
  return { ...ready, note: `${threads} threads` };
};

export const withoutWebAssembly: Prepare = (work) => prepare(work, { kernel: 'scalar' });

function needWebAssembly(): void {
  selectKernel('auto');
  const { kernel, reason } = kernelInfo();
  if (kernel === 'scalar') throw new Error(reason);
}

interface Variant {
  readonly kernel?: KernelName | 'auto';
  readonly place?: Place;
  readonly threads?: number;
  readonly hasBuffer?: boolean;
}

async function prepare(
  work: Work,
  { kernel = 'auto', place = 'plain', threads = 1, hasBuffer = false }: Variant = {},
): Promise<Ready> {
  const { rows, columns, labels } = work;
  const { matrix, close } = await placeFor({ rows, columns, dtype: 'float32' }, place, threads);
  const [student, teacher] = [matrix(work.student), matrix(work.teacher)];
  const options: EvaluationOptions<FloatArray> = hasBuffer ? { gradient: matrix() } : {};
  const strategy = new ResponseDistillationStrategy<FloatArray>({
    temperature: TEMPERATURE,
    alpha: ALPHA,
  });
  const step = () => {
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels, options);
    return { loss, gradient: (gradient as Matrix<FloatArray>).data };
  };
  return { step, select: () => selectKernel(kernel), dispose: close };
}
