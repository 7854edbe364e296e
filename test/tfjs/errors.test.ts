import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import {
  DistillationError,
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  LinearProjection,
  ResponseDistillationStrategy,
} from '../../src/index.js';
import { distillationLoss, distillationLossAsync } from '../../src/tfjs/index.js';
import { refusal, wrong } from '../wrong.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const response = new ResponseDistillationStrategy();
const loss = distillationLoss(tf, response);
const hybrid = distillationLoss(
  tf,
  new HybridDistillationStrategy([
    { strategy: response, weight: 0.5 },
    { strategy: new FeatureDistillationStrategy(), weight: 0.5, layer: 'hidden' },
  ]),
);
const zeros = tf.zeros([2, 3]);
const disposed = tf.zeros([2, 3]);
disposed.dispose();
const symbolic = wrong<tf.Tensor>(tf.input({ shape: [3] }));

test.each([
  ['student has shape [3], expected [1, 3] (rank 2 or more)', () => loss(tf.zeros([3]), zeros)],
  ['teacher has shape [], expected [1, 1] (rank 2 or more)', () => loss(zeros, tf.scalar(1))],
  [
    "student must be float32, got int32; use tf.cast(student, 'float32')",
    () => loss(tf.zeros([2, 3], 'int32'), zeros),
  ],
  [
    "teacher must be float32, got bool; use tf.cast(teacher, 'float32')",
    () => loss(zeros, tf.zeros([2, 3], 'bool')),
  ],
  [
    'student must hold values, got a disposed tensor; return it from tf.tidy, or tf.keep it',
    () => loss(disposed, zeros),
  ],
  [
    'teacher must hold values, got a disposed tensor; return it from tf.tidy, or tf.keep it',
    () => loss(zeros, disposed),
  ],
  [
    'labels must hold values, got a disposed tensor; return it from tf.tidy, or tf.keep it',
    () => loss(zeros, zeros, disposed),
  ],
  [
    "labels must be int32 or float32, got bool; use tf.cast(labels, 'int32')",
    () => loss(zeros, zeros, tf.zeros([2], 'bool')),
  ],
  [
    "labels has shape [2], expected [1, 2] (rank 2 or more); cast class indices: tf.cast(labels, 'int32')",
    () => loss(zeros, zeros, tf.zeros([2])),
  ],
  [
    "options.mask must be bool, int32 or float32, got string; use tf.cast(options.mask, 'bool')",
    () => loss(zeros, zeros, undefined, { mask: tf.tensor1d(['a', 'b']) }),
  ],
  [
    'options must have no keys but mask, normalizer, got "gradient"',
    () => loss(zeros, zeros, undefined, wrong({ gradient: zeros })),
  ],
  [
    "student.hidden must be float32, got int32; use tf.cast(student.hidden, 'float32')",
    () =>
      hybrid(
        { output: zeros, hidden: tf.zeros([2, 3], 'int32') },
        { output: zeros, hidden: zeros },
      ),
  ],
])('distillationLoss: %s', (message, call) => {
  const error = refusal(call);
  expect(error.message).toBe(`distillationLoss: ${message}`);
  expect(error.operation).toBe('distillationLoss');
  expect(call).toThrow(DistillationError);
});

test.each([
  [
    'student must be a tensor, got an object of type Object; tensors by layer are for a HybridDistillationStrategy',
    () => loss(wrong({ output: zeros }), zeros),
  ],
  [
    'student must be a tensor, got undefined; tensors by layer are for a HybridDistillationStrategy',
    () => loss(wrong(undefined), zeros),
  ],
  [
    'student must be a tensor, got an object of type Object; tensors by layer are for a HybridDistillationStrategy',
    () => loss(symbolic, zeros),
  ],
  [
    'student must be a tensor or tensors by layer, got null',
    () => hybrid(wrong(null), wrong(null)),
  ],
  [
    'teacher must be tensors by layer, as the student is, got undefined',
    () => hybrid({ output: zeros, hidden: zeros }, wrong(undefined)),
  ],
  [
    'student.hidden must be a tensor, got an object of type Array',
    () => hybrid({ output: zeros, hidden: wrong([1]) }, { output: zeros, hidden: zeros }),
  ],
  [
    "tf must be TensorFlow.js, got an object of type Object; import * as tf from '@tensorflow/tfjs'",
    () => distillationLoss(wrong<typeof tf>({}), response),
  ],
  [
    'strategy must have computeLoss and computeGradient, got undefined',
    () => distillationLoss(tf, wrong(undefined)),
  ],
])('distillationLoss, a TypeError: %s', (message, call) => {
  expect(call).toThrow(TypeError);
  expect(refusal(call).message).toBe(`distillationLoss: ${message}`);
});

test('what the strategy refuses names the layers and sizes that it sees', () => {
  expect(() => loss(tf.zeros([2, 4, 3]), tf.zeros([2, 5, 3]))).toThrow(
    'teacher has shape [10, 3], expected [8, 3]',
  );
  expect(() =>
    hybrid(wrong({ output: zeros, hiden: zeros }), { output: zeros, hidden: zeros }),
  ).toThrow("studentLayers must have a layer 'hidden', got output, hiden");
  expect(() => hybrid(zeros, zeros)).toThrow('get the layers they are bound to');
  expect(() => loss(tf.mul(zeros, Number.NaN), zeros)).toThrow('student row 0, column 0 is NaN');
});

test('a loss whose variables were disposed says so, in either form', async () => {
  const projected = () =>
    new FeatureDistillationStrategy({ projection: new LinearProjection(3, 3) });
  const message = 'variables must hold values, got a disposed tensor; use a new loss';
  const spent = distillationLoss(tf, projected());
  spent.dispose();
  expect(() => spent(zeros, zeros)).toThrow(`distillationLoss: ${message}`);
  const spentAsync = distillationLossAsync(tf, projected());
  spentAsync.dispose();
  await expect(spentAsync(() => zeros, zeros)).rejects.toThrow(`distillationLossAsync: ${message}`);
});
