// This test opens a page whose content security policy forbids WebAssembly: ./policy.ts, served by
// vitest.config.ts.

import { expect, test } from 'vitest';
import { kernelInfo, Matrix, ResponseDistillationStrategy } from '../../src/index.js';
import type { Answer } from './policy.js';

/** The part of a page that the test needs, since its types come only with the DOM's. */
const { document, addEventListener } = globalThis as unknown as {
  readonly document: {
    createElement(name: 'iframe'): { src: string; remove(): void };
    readonly body: { append(element: object): void };
  };
  addEventListener(type: string, listener: (event: { data: Answer }) => void): void;
};

test('JavaScript evaluates under a policy without wasm-unsafe-eval, and the library reports the reason', async () => {
  const frame = document.createElement('iframe');
  const answer = new Promise<Answer>((resolve) => {
    addEventListener('message', ({ data }) => {
      if (data.from === 'policy') resolve(data);
    });
  });
  frame.src = '/policy.html';
  document.body.append(frame);
  const { kernel, reason, loss } = await answer;
  frame.remove();

  expect(kernel).toBe('scalar');
  expect(reason).toMatch(/does not take the simd kernel.*Content Security Policy/);
  const here = new ResponseDistillationStrategy().computeLoss(
    Matrix.fromRows([[1, 2, 3]]),
    Matrix.fromRows([[3, 1, 2]]),
  );
  expect(kernelInfo().kernel).toBe('fma');
  expect(Math.abs(loss / here - 1)).toBeLessThan(4e-7);
});
