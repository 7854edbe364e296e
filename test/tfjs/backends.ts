import * as tf from '@tensorflow/tfjs';
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { expectElementsClose, sineValues } from '../support/tensorValues.js';

const inNode = !('window' in globalThis);
if (inNode) await import('@tensorflow/tfjs-backend-wasm');

/**
 * Runs the same tests on every backend of the platform. Each test must dispose all tensors that it
 * makes.
 */
export function onEachBackend(tests: () => void): void {
  describe.each(['cpu', inNode ? 'wasm' : 'webgl'])('on the backend %s', (backend) => {
    beforeAll(async () => {
      expect(await tf.setBackend(backend)).toBe(true);
    });
    tests();
  });
}

class Asynchronous extends MathBackendCPU {
  override readSync(): never {
    throw new Error('readSync is not available');
  }
  override async read(data: tf.DataId): Promise<tf.backend_util.BackendValues> {
    return super.readSync(data);
  }
  /** Reads of the kernels themselves. */
  override bufferSync<R extends tf.Rank, D extends tf.DataType>({
    dataId,
    shape,
    dtype,
  }: tf.TensorInfo): tf.TensorBuffer<R, D> {
    const values = super.readSync(dataId) as tf.DataTypeMap[D];
    return tf.buffer<R, D>(shape as tf.ShapeMap[R], dtype as D, values);
  }
}

/** Runs tests on a backend that computes like the backend cpu and reads like WebGPU. */
export function onAsynchronousBackend(tests: () => void): void {
  describe('on a backend without synchronous reads', () => {
    beforeAll(async () => {
      tf.registerBackend('asynchronous', () => new Asynchronous());
      tf.copyRegisteredKernels('cpu', 'asynchronous');
      await tf.setBackend('asynchronous');
    });
    afterAll(async () => {
      await tf.setBackend('cpu');
      tf.removeBackend('asynchronous');
    });
    tests();
  });
}

/** A tensor of ordinary elements that all differ. */
export function values(shape: number[], phase: number, scale = 2): tf.Tensor {
  return tf.tensor(sineValues(shape, phase, scale), shape);
}

/** Compares element by element, with a tolerance relative to the largest element or 1. */
export function expectClose(actual: tf.Tensor, expected: tf.Tensor, tolerance = 1e-6): void {
  expect(actual.shape).toEqual(expected.shape);
  expectElementsClose(actual.dataSync(), expected.dataSync(), tolerance);
}

/**
 * Softened KL(teacher ‖ student) with T², and the cross-entropy of labels, as operations of
 * TensorFlow.js; one loss per row.
 */
export function responseRows(
  student: tf.Tensor,
  teacher: tf.Tensor,
  oneHot: tf.Tensor,
  temperature: number,
  alpha: number,
): tf.Tensor {
  const logP = tf.logSoftmax(tf.div(teacher, temperature));
  const logQ = tf.logSoftmax(tf.div(student, temperature));
  const soft = tf.sum(tf.mul(tf.exp(logP), tf.sub(logP, logQ)), -1);
  const hard = tf.neg(tf.sum(tf.mul(oneHot, tf.logSoftmax(student)), -1));
  return tf.add(tf.mul(soft, (1 - alpha) * temperature ** 2), tf.mul(hard, alpha));
}
