// These tests run in Node only, since a browser cannot import a module a second time.

import { afterEach, expect, test, vi } from 'vitest';
import { NUMBERS } from '../../src/engine/binaries/numbers.js';
import { RESPONSE } from '../../src/engine/binaries/response.js';
import { type Binary, type CompiledKernel, labeledBytes } from '../../src/engine/compile.js';
import {
  FeatureDistillationStrategy,
  type IDistillationStrategy,
  Matrix,
  ResponseDistillationStrategy,
  selectKernel,
} from '../../src/index.js';
import { refusal } from '../support/refusal.js';

const { WebAssembly: engine } = globalThis as unknown as {
  WebAssembly: {
    readonly Memory: object;
    readonly Instance: object;
    readonly Module: (new (bytes: Uint8Array) => object) & { readonly customSections: object };
  };
};

/** WebAssembly under a policy that forbids compilation. */
const forbidden = {
  Memory: engine.Memory,
  Instance: engine.Instance,
  Module: class {
    static readonly customSections = engine.Module.customSections;
    constructor() {
      throw new Error('a policy forbids it');
    }
  },
};

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Imports a new instance of the library, as a page that loads it. */
async function importAgain(): Promise<typeof import('../../src/index.js')> {
  vi.resetModules();
  return import('../../src/index.js');
}

test.each([
  ['there is no WebAssembly', undefined],
  ['a policy forbids it', forbidden],
])('JavaScript evaluates if %s', async (reason, replacement) => {
  const student = [[1, 2, 3]];
  const teacher = [[3, 1, 2]];
  const here = new ResponseDistillationStrategy().computeLoss(
    Matrix.fromRows(student),
    Matrix.fromRows(teacher),
  );
  vi.stubGlobal('WebAssembly', replacement);
  const library = await importAgain();
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

/** A compiled module, as bundlers and edge runtimes provide it. */
function compiled(binary: Binary, kernel: CompiledKernel): object {
  return new engine.Module(labeledBytes(binary, kernel));
}

test('precompiled modules evaluate where a policy forbids compilation', async () => {
  const [student, teacher] = [
    [Array.from({ length: 40 }, (_, j) => Math.sin(j))],
    [Array(40).fill(1)],
  ];
  const lossOf = (strategy: IDistillationStrategy, library: { Matrix: typeof Matrix }) =>
    strategy.computeLoss(library.Matrix.fromRows(student), library.Matrix.fromRows(teacher));
  selectKernel('simd');
  const response = lossOf(new ResponseDistillationStrategy(), { Matrix });
  selectKernel('scalar');
  const feature = lossOf(new FeatureDistillationStrategy(), { Matrix });
  selectKernel('auto');
  const modules = [compiled(RESPONSE, 'simd')];

  vi.stubGlobal('WebAssembly', forbidden);
  const library = await importAgain();
  library.selectKernel(modules);
  expect(library.kernelInfo()).toEqual({ kernel: 'simd', reason: 'its modules were passed in' });
  expect(lossOf(new library.ResponseDistillationStrategy(), library)).toBe(response);
  // The module of this loss was not passed.
  expect(lossOf(new library.FeatureDistillationStrategy(), library)).toBe(feature);
});

test('a loss without one of its modules gives the same result', async () => {
  vi.stubGlobal('WebAssembly', forbidden);
  const library = await importAgain();
  const row = (phase: number) => Array.from({ length: 40 }, (_, j) => 2 * Math.sin(j + phase));
  const student = library.Matrix.fromRows([row(0), row(1)]);
  const teacher = library.Matrix.fromRows([row(2), row(3)]);
  const sparse = library.SparseTargets.topK(teacher, 5, { temperature: 3 });
  const labels = Int32Array.of(7, 11);
  const calls = [
    () =>
      new library.ReverseKLDistillationStrategy().computeLossAndGradient(student, sparse, labels),
    () =>
      new library.LogitMSEDistillationStrategy().computeLossAndGradient(student, teacher, labels),
  ];
  const byJavaScript = calls.map((call) => call());
  for (const binary of [RESPONSE, NUMBERS]) {
    library.selectKernel(compiled(binary, 'simd'));
    for (const [i, call] of calls.entries()) {
      const { loss, gradient } = call();
      const expected = byJavaScript[i]!;
      expect(loss).toBeCloseTo(expected.loss, 5);
      for (const [k, value] of gradient.data.entries()) {
        expect(value).toBeCloseTo(expected.gradient.data[k]!, 6);
      }
    }
  }
  // The modules that were passed first stay in use, also for matrices in an arena.
  const arena = new library.MatrixArena(1 << 20);
  const inArena = arena.zeros(2, 40);
  inArena.data.set(student.data);
  library.selectKernel('scalar');
  const expected = new library.FeatureDistillationStrategy().computeLoss(inArena, teacher);
  library.selectKernel(compiled(NUMBERS, 'simd'));
  expect(new library.FeatureDistillationStrategy().computeLoss(inArena, teacher)).toBeCloseTo(
    expected,
    5,
  );
});

test.each([
  ['none', [], { code: 'EMPTY' }],
  ['no module', [{}], { code: 'WRONG_TYPE' }],
  [
    'modules of two kernels',
    [compiled(RESPONSE, 'simd'), compiled(NUMBERS, 'fma')],
    { code: 'OUT_OF_RANGE' },
  ],
])('%s is refused as a kernel', (_, modules, expected) => {
  expect(refusal(() => selectKernel(modules))).toMatchObject({ argument: 'kernel', ...expected });
});
