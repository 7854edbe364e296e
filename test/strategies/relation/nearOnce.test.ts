import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Matrix, selectKernel } from '../../../src/index.js';
import { kernels } from '../../support/describeKernels.js';
import { pairLosses } from '../../support/pairLosses.js';

// For a student at any small distance, the products are computed in float32 and only once.

const products: string[] = [];

vi.mock('../../../src/kernels/products/productSimd.js', async (original) => {
  const module = await original<typeof import('../../../src/kernels/products/productSimd.js')>();
  const multiplyFast: typeof module.multiplyFast = (a, b, precision, ...rest) => {
    products.push(precision);
    return module.multiplyFast(a, b, precision, ...rest);
  };
  return { ...module, multiplyFast };
});

/** Pseudo-random elements of rows of length about 1. */
function noise(seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: 128 * 256 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32 - 0.5) / 4;
  });
}

const multiplying = kernels.filter((kernel) => kernel !== 'scalar');

describe.each(multiplying)('Products for near students, %s kernel', (kernel) => {
  beforeAll(() => selectKernel(kernel));
  afterAll(() => selectKernel('auto'));

  test.each(pairLosses.slice(0, 5))('%s of a student of another size', (_, create) => {
    const teacher = new Matrix(noise(1), 128, 256);
    for (const size of [0.01, 0.3, 3]) {
      products.length = 0;
      const values = noise(2).map((value, k) => size * (2 * value + teacher.data[k]!));
      create().computeGradient(new Matrix(values, 128, 256), teacher);
      expect(products).toEqual(Array(3).fill('float32'));
    }
  });

  test.each(pairLosses)('%s', (_, create) => {
    const [ideal, other] = [noise(1), noise(2)];
    const teacher = new Matrix(ideal, 128, 256);
    for (const distance of [10, 1, 0.7, 0.3, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 0]) {
      products.length = 0;
      const student = new Matrix(
        ideal.map((value, k) => value + distance * other[k]!),
        128,
        256,
      );
      create().computeGradient(student, teacher);
      // Products of the teacher, products of the difference or of the student, and the gradient.
      expect(products).toEqual(Array(distance === 0 ? 2 : 3).fill('float32'));
    }
  });
});
