// Not in a browser: there, a module cannot be imported anew.

import { afterEach, expect, test, vi } from 'vitest';
import { Matrix, ResponseDistillationStrategy } from '../../src/index.js';
import { refusal } from '../support/refusal.js';

const { WebAssembly: engine } = globalThis as unknown as {
  WebAssembly: { readonly Memory: object; readonly Instance: object };
};

afterEach(() => {
  vi.unstubAllGlobals();
});

/** The library anew, as a page meets it for the first time. */
async function anew(): Promise<typeof import('../../src/index.js')> {
  vi.resetModules();
  return import('../../src/index.js');
}

test.each([
  ['there is no WebAssembly', undefined],
  [
    'a policy forbids it',
    {
      Memory: engine.Memory,
      Instance: engine.Instance,
      Module: class {
        constructor() {
          throw new Error('a policy forbids it');
        }
      },
    },
  ],
])('JavaScript computes where %s', async (reason, replacement) => {
  const student = [[1, 2, 3]];
  const teacher = [[3, 1, 2]];
  const here = new ResponseDistillationStrategy().computeLoss(
    Matrix.fromRows(student),
    Matrix.fromRows(teacher),
  );
  vi.stubGlobal('WebAssembly', replacement);
  const library = await anew();
  const there = new library.ResponseDistillationStrategy().computeLoss(
    library.Matrix.fromRows(student),
    library.Matrix.fromRows(teacher),
  );
  expect(Math.abs(there / here - 1)).toBeLessThan(4e-7);
  expect(library.kernelInfo().kernel).toBe('scalar');
  expect(library.kernelInfo().reason).toContain(reason);
  const arena = new library.MatrixArena(1 << 20);
  const inArena = arena.zeros(1, 3);
  inArena.data.set(student[0]!);
  const loss = new library.ResponseDistillationStrategy().computeLoss(
    inArena,
    library.Matrix.fromRows(teacher),
  );
  expect(loss).toBe(there);
  await expect(library.MatrixArena.withThreads(1 << 20, 2)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
  expect(refusal(() => library.selectKernel('simd'))).toMatchObject({ code: 'UNAVAILABLE' });
});
