import { defaultDevice, init, nn, numpy as np, tree } from '@jax-js/jax';
import { afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import { expectElementsClose, sineValues } from '../support/tensorValues.js';
import { liveBuffers } from './liveBuffers.js';

/**
 * Runs the same tests on every device that needs no graphics card. Each test must free all buffers
 * that it allocates.
 */
export function onEachDevice(tests: () => void): void {
  describe.each(['wasm', 'cpu'] as const)('on the device %s', (device) => {
    let before = 0;
    beforeAll(async () => {
      expect(await init(device)).toContain(device);
      defaultDevice(device);
    });
    beforeEach(async () => {
      before = await liveBuffers(device);
    });
    afterEach(async () => {
      expect(await liveBuffers(device), 'buffers that were not freed').toBe(before);
    });
    tests();
  });
}

/** An array of ordinary elements that all differ. */
export function values(shape: number[], phase: number, scale = 2): np.Array {
  return np.array(sineValues(shape, phase, scale), { shape });
}

/**
 * Compares leaf by leaf and element by element, with a tolerance relative to the largest element or
 * 1; consumes both.
 */
export function expectClose<T extends Parameters<typeof tree.leaves<np.Array>>[0]>(
  actual: T,
  expected: T,
  tolerance = 1e-6,
): void {
  const [is, should] = [tree.leaves(actual), tree.leaves(expected)];
  expect(is.map(({ shape }) => shape)).toEqual(should.map(({ shape }) => shape));
  is.forEach((leaf, i) => {
    expectElementsClose(leaf.dataSync(), should[i]!.dataSync(), tolerance);
  });
}

/**
 * Softened KL(teacher ‖ student) with T², and the cross-entropy of labels, as operations of jax-js;
 * one loss per row.
 */
export function responseRows(
  student: np.Array,
  teacher: np.Array,
  oneHot: np.Array,
  temperature: number,
  alpha: number,
): np.Array {
  const logP = nn.logSoftmax(teacher.div(temperature), -1);
  const logQ = nn.logSoftmax(student.ref.div(temperature), -1);
  const soft = np.exp(logP.ref).mul(logP.sub(logQ)).sum(-1);
  const hard = oneHot.mul(nn.logSoftmax(student, -1)).sum(-1).neg();
  return soft.mul((1 - alpha) * temperature ** 2).add(hard.mul(alpha));
}
