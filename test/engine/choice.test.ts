import { afterEach, expect, test, vi } from 'vitest';
import { kernelInfo, Matrix, ResponseDistillationStrategy, selectKernel } from '../../src/index.js';
import { refusal } from '../support/refusal.js';

/** What a test needs of WebAssembly, which has no types without a DOM. */
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

test('the fastest kernel runs unless another is selected', () => {
  expect(kernelInfo()).toEqual({ kernel: 'fma', reason: 'the fastest there is' });
  selectKernel('simd');
  expect(kernelInfo()).toEqual({ kernel: 'simd', reason: 'it was selected' });
  selectKernel('scalar');
  expect(kernelInfo().kernel).toBe('scalar');
  selectKernel('auto');
  expect(kernelInfo().kernel).toBe('fma');
});

test('what is no kernel is refused', () => {
  expect(refusal(() => selectKernel('gpu' as 'simd'))).toMatchObject({
    code: 'OUT_OF_RANGE',
    argument: 'kernel',
  });
  expect(kernelInfo().kernel).toBe('fma');
});

test('a batch does not make the memory of the kernels grow with it', () => {
  const grown = vi.spyOn(engine.Memory.prototype, 'grow');
  const strategy = new ResponseDistillationStrategy();
  const [rows, columns] = [2000, 1000];
  strategy.computeGradient(Matrix.zeros(rows, columns), Matrix.zeros(rows, columns));
  const pages = grown.mock.calls.reduce((sum, [count]) => sum + count, 0);
  expect(pages * 65536).toBeLessThan(1 << 20);
  grown.mockRestore();
});
