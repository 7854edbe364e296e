import { afterEach, expect, test, vi } from 'vitest';
import { kernelInfo, Matrix, ResponseDistillationStrategy, selectKernel } from '../../src/index.js';
import { refusal } from '../support/refusal.js';

/** The part of WebAssembly that the test needs, since its types come only with the DOM's. */
const engine = (
  globalThis as unknown as {
    WebAssembly: {
      readonly Memory: { readonly prototype: { grow: (pages: number) => number } };
    };
  }
).WebAssembly;

afterEach(() => {
  selectKernel('auto');
});

test('the fastest kernel is selected by default', () => {
  expect(kernelInfo()).toEqual({ kernel: 'fma', reason: 'the fastest there is' });
  selectKernel('simd');
  expect(kernelInfo()).toEqual({ kernel: 'simd', reason: 'it was selected' });
  selectKernel('scalar');
  expect(kernelInfo().kernel).toBe('scalar');
  selectKernel('auto');
  expect(kernelInfo().kernel).toBe('fma');
});

test('an unknown kernel is refused', () => {
  expect(refusal(() => selectKernel('gpu' as 'simd'))).toMatchObject({
    code: 'OUT_OF_RANGE',
    argument: 'kernel',
  });
  expect(kernelInfo().kernel).toBe('fma');
});

test('the memory of the kernels does not grow with the batch', () => {
  const grown = vi.spyOn(engine.Memory.prototype, 'grow');
  const strategy = new ResponseDistillationStrategy();
  const [rows, columns] = [2000, 1000];
  strategy.computeGradient(Matrix.zeros(rows, columns), Matrix.zeros(rows, columns));
  const pages = grown.mock.calls.reduce((sum, [count]) => sum + count, 0);
  expect(pages * 65536).toBeLessThan(1 << 20);
  grown.mockRestore();
});
