import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import {
  DistillationError,
  FeatureDistillationStrategy,
  float64,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  LinearProjection,
  Matrix,
  ResponseDistillationStrategy,
} from '../../src/index.js';
import { distillationLoss, distillationLossAsync } from '../../src/tfjs/index.js';
import { refusal, wrong } from '../support/refusal.js';

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
const ROWS = [
  [0, 0, 0],
  [0, 0, 0],
];
const sequences = tf.zeros([2, 4, 3]);
/** A strategy by another author. */
const bare = (methods: Partial<IDistillationStrategy>): IDistillationStrategy => ({
  temperature: 1,
  alpha: 0,
  computeLoss: () => 0,
  computeGradient: (student) => student.zerosLike(),
  ...methods,
});
const disposed = tf.zeros([2, 3]);
disposed.dispose();
const symbolic = wrong<tf.Tensor>(tf.input({ shape: [3] }));

test.each([
  ['student has shape [3], expected [1, 3] (rank 2 or more)', () => loss(tf.zeros([3]), zeros)],
  ['teacher has shape [], expected [1, 1] (rank 2 or more)', () => loss(zeros, tf.scalar(1))],
  [
    'student has shape [2, 0], expected [2, 1] (a column or more)',
    () => loss(tf.zeros([2, 0]), zeros),
  ],
  [
    'teacher has shape [2, 4, 0], expected [2, 4, 1] (a column or more)',
    () => loss(sequences, tf.zeros([2, 4, 0])),
  ],
  [
    "teacher has shape [4, 2, 3], expected [2, 4, 3] (rows as in the student's [2, 4, 3]); " +
      'transpose it, or reshape it to [8, 3] if its rows are in that order',
    () => loss(sequences, tf.zeros([4, 2, 3])),
  ],
  [
    "teacher has shape [1, 8, 3], expected [2, 4, 3] (rows as in the student's [2, 4, 3]); " +
      'transpose it, or reshape it to [8, 3] if its rows are in that order',
    () => loss(sequences, tf.zeros([1, 8, 3])),
  ],
  [
    "teacher.hidden has shape [4, 2, 5], expected [2, 4, 5] (rows as in the student's [2, 4, 3]); " +
      'transpose it, or reshape it to [8, 5] if its rows are in that order',
    () =>
      hybrid(
        { output: sequences, hidden: sequences },
        { output: sequences, hidden: tf.zeros([4, 2, 5]) },
      ),
  ],
  ...(['int32', 'float32'] as const).map((dtype): [string, () => unknown] => [
    "labels has shape [4, 2, 3], expected [2, 4, 3] (rows as in the student's [2, 4, 3]); " +
      'transpose it, or reshape it to [8, 3] if its rows are in that order',
    () => loss(sequences, sequences, tf.zeros([4, 2, 3], dtype)),
  ]),
  [
    "labels has shape [4, 2], expected [2, 4] (rows as in the student's [2, 4, 3]); " +
      'transpose it, or reshape it to [8] if its rows are in that order',
    () => loss(sequences, sequences, tf.zeros([4, 2], 'int32')),
  ],
  [
    "options.mask has shape [4, 2], expected [2, 4] (rows as in the student's [2, 4, 3]); " +
      'transpose it, or reshape it to [8] if its rows are in that order',
    () => loss(sequences, sequences, undefined, { mask: tf.zeros([4, 2]) }),
  ],
  [
    "options.mask.hidden has shape [4, 2], expected [2, 4] (rows as in the student's [2, 4, 3]); " +
      'transpose it, or reshape it to [8] if its rows are in that order',
    () => {
      const layers = { output: zeros, hidden: sequences };
      return hybrid(layers, layers, undefined, { mask: { hidden: tf.zeros([4, 2]) } });
    },
  ],
  [
    "gradient has shape [3, 2], expected [2, 3] (the student's shape); is it transposed?",
    () => distillationLoss(tf, bare({ computeGradient: () => Matrix.zeros(3, 2) }))(zeros, zeros),
  ],
  [
    'gradient must be float32, got float64; use gradient.as(float32)',
    () => {
      const computeGradient = () => wrong<Matrix>(Matrix.zeros(2, 3, float64));
      return distillationLoss(tf, bare({ computeGradient }))(zeros, zeros);
    },
  ],
  [
    'gradient row 1, column 2 must be within ±3.4028234663852886e+38, got NaN',
    () => {
      const computeGradient = () => new Matrix(Float32Array.of(1, 2, 3, 4, 5, Number.NaN), 2, 3);
      return distillationLoss(tf, bare({ computeGradient }))(zeros, zeros);
    },
  ],
  [
    'loss must be finite, got NaN; the input is extreme, or the formula divides by 0 or reads past a row',
    () => distillationLoss(tf, bare({ computeLoss: () => Number.NaN }))(zeros, zeros),
  ],
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
    "labels must be int32 class indices, or a distribution for each row, got float32 of shape [2]; use tf.cast(labels, 'int32')",
    () => loss(zeros, zeros, tf.zeros([2])),
  ],
  [
    'options.mask must be bool, int32 or float32, got string',
    () => loss(zeros, zeros, undefined, { mask: tf.tensor1d(['a', 'b']) }),
  ],
  [
    'unknown option "gradient"; known options: mask, rowWeights, temperatures, normalizer, rowLosses',
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
    'student must be a tensor, got an object; tensors by layer are for a HybridDistillationStrategy',
    () => loss(wrong({ output: zeros }), zeros),
  ],
  ['student must be a tensor, got an array; make a tensor of it', () => loss(wrong(ROWS), zeros)],
  ['student must be a tensor, got undefined', () => loss(wrong(undefined), zeros)],
  ['student must be a tensor, got an object of type SymbolicTensor', () => loss(symbolic, zeros)],
  [
    'student must be a tensor or tensors by layer, got null',
    () => hybrid(wrong(null), wrong(null)),
  ],
  [
    'teacher must be tensors by layer, as the student is, got undefined',
    () => hybrid({ output: zeros, hidden: zeros }, wrong(undefined)),
  ],
  [
    'student.hidden must be a tensor, got an array; make a tensor of it',
    () => hybrid({ output: zeros, hidden: wrong([1]) }, { output: zeros, hidden: zeros }),
  ],
  [
    'student must be a tensor or tensors by layer, got an array',
    () => hybrid(wrong([zeros]), wrong([zeros])),
  ],
  [
    'gradient must be a Matrix, got undefined',
    () => distillationLoss(tf, bare({ computeGradient: () => wrong(undefined) }))(zeros, zeros),
  ],
  [
    'computeLoss must return a number, got undefined',
    () => distillationLoss(tf, bare({ computeLoss: () => wrong(undefined) }))(zeros, zeros),
  ],
  [
    "tf must be TensorFlow.js, got an object; import * as tf from '@tensorflow/tfjs'",
    () => distillationLoss(wrong<typeof tf>({}), response),
  ],
  [
    'strategy must have computeLoss and computeGradient, got undefined',
    () => distillationLoss(tf, wrong(undefined)),
  ],
])('distillationLoss refuses with a TypeError: %s', (message, call) => {
  expect(call).toThrow(TypeError);
  expect(refusal(call).message).toBe(`distillationLoss: ${message}`);
});

test('an error of the strategy names the layers and their sizes', () => {
  expect(() => loss(tf.zeros([2, 4, 3]), tf.zeros([2, 5, 3]))).toThrow(
    'teacher has shape [10, 3], expected [8, 3]',
  );
  expect(() =>
    hybrid(wrong({ output: zeros, hiden: zeros }), { output: zeros, hidden: zeros }),
  ).toThrow("studentLayers must have a layer 'hidden', got output, hiden");
  expect(() => hybrid(zeros, zeros)).toThrow(
    'student must be tensors by layer, got a tensor; an entry is bound to a layer: pass { output, hidden }',
  );
  expect(() => loss(tf.mul(zeros, Number.NaN), zeros)).toThrow('student row 0, column 0 is NaN');
});

test('a loss with disposed variables is refused in either form', async () => {
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

test('hints about labels and arrays lead to a loss', () => {
  const expected = loss(zeros, zeros, tf.tensor1d([0, 1], 'int32')).dataSync();
  const labels = tf.tensor1d([0, 1]);
  expect(loss(zeros, zeros, tf.cast(labels, 'int32')).dataSync()).toEqual(expected);
  expect(loss(tf.tensor(ROWS), zeros, tf.cast(labels, 'int32')).dataSync()).toEqual(expected);
});
