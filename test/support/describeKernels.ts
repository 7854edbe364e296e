import { afterAll, beforeAll, describe } from 'vitest';
import { type KernelName, selectKernel } from '../../src/index.js';

/** Those that this engine has. */
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

/** The tests once for every kernel. */
export function describeKernels(name: string, tests: () => void): void {
  describe.each(kernels)(`${name}, %s kernel`, (kernel) => {
    beforeAll(() => selectKernel(kernel));
    afterAll(() => selectKernel('auto'));
    tests();
  });
}
