import { afterAll, beforeAll, describe } from 'vitest';
import { type KernelName, selectKernel } from '../../src/index.js';

/** The kernels that this engine supports, the fastest last. */
export const kernels: readonly KernelName[] = (['scalar', 'simd', 'fma'] as const).filter(
  (kernel) => {
    try {
      selectKernel(kernel);
      return true;
    } catch {
      return false;
    } finally {
      selectKernel('auto');
    }
  },
);

/** The kernel that is selected by default. */
const DEFAULT_KERNEL = kernels.at(-1)!;

/** Number of examples of a law with the other kernels, which compute the same formulas. */
const FEW_RUNS = 25;

/**
 * Returns the number of examples of a law with a kernel; fast-check's default for the default
 * kernel.
 */
export function runsOf(kernel: KernelName): { readonly numRuns?: number } {
  return kernel === DEFAULT_KERNEL ? {} : { numRuns: FEW_RUNS };
}

/** Describes the tests once for every kernel. */
export function describeKernels(name: string, tests: (kernel: KernelName) => void): void {
  describe.each(kernels)(`${name}, %s kernel`, (kernel) => {
    beforeAll(() => selectKernel(kernel));
    afterAll(() => selectKernel('auto'));
    tests(kernel);
  });
}
