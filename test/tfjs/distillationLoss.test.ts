import * as tf from '@tensorflow/tfjs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  AttentionDistillationStrategy,
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  IGNORE_INDEX,
  LinearProjection,
  Matrix,
  ResponseDistillationStrategy,
  SparseTargets,
} from '../../src/index.js';
import { distillationLoss } from '../../src/tfjs/index.js';
import { expectClose, onEachBackend, responseRows, values } from './backends.js';

const [temperature, alpha] = [3, 0.3];
const response = () => new ResponseDistillationStrategy({ temperature, alpha });
const ofOutputAndHidden = () =>
  new HybridDistillationStrategy([
    { strategy: response(), weight: 0.5 },
    { strategy: new FeatureDistillationStrategy(), weight: 0.5, layer: 'hidden' },
  ]);

/** Value and gradient of both for the same student. */
function expectSame(
  loss: (student: tf.Tensor) => tf.Scalar,
  ofOperations: (student: tf.Tensor) => tf.Tensor,
  student: tf.Tensor,
): void {
  const actual = tf.valueAndGrad(loss)(student);
  const expected = tf.valueAndGrad(ofOperations)(student);
  expectClose(actual.value, tf.reshape(expected.value, []));
  expectClose(actual.grad, expected.grad);
}

const classes = [1, 0, 4, 2, 2, 3];

onEachBackend(() => {
  const ofLabels = (depth: number) => tf.oneHot(tf.tensor1d(classes, 'int32'), depth);

  describe('value and gradient agree with operations of TensorFlow.js', () => {
    test.each([
      ['class indices', () => tf.tensor1d(classes, 'int32')],
      ['class indices, a column', () => tf.tensor2d(classes, [6, 1], 'int32')],
      ['an Int32Array', () => Int32Array.from(classes)],
      ['one-hot, int32', () => ofLabels(5)],
      ['one-hot, float32', () => tf.cast(ofLabels(5), 'float32')],
      ['a matrix', () => Matrix.oneHot(classes, 5)],
    ])('with labels: %s', (_, labels) => {
      tf.tidy(() => {
        const loss = distillationLoss(tf, response());
        const teacher = values([6, 5], 2);
        expectSame(
          (student) => loss(student, teacher, labels()),
          (student) => tf.mean(responseRows(student, teacher, ofLabels(5), temperature, alpha)),
          values([6, 5], 0.5),
        );
      });
    });

    test('without labels, multiplied by a factor after the loss', () => {
      tf.tidy(() => {
        const loss = distillationLoss(tf, response());
        const teacher = values([6, 5], 2);
        const none = tf.zeros([6, 5]);
        expectSame(
          (student) => tf.mul<tf.Scalar>(tf.square(loss(student, teacher)), 7),
          (student) =>
            tf.mul(tf.square(tf.mean(responseRows(student, teacher, none, temperature, 0))), 7),
          values([6, 5], 0.5),
        );
      });
    });

    test('of sequences, [batch, length, vocabulary], with padding and a normalizer', () => {
      tf.tidy(() => {
        const loss = distillationLoss(tf, response());
        const teacher = values([2, 3, 5], 2);
        const mask = tf.tensor2d([1, 1, 0, 1, 0, 1], [2, 3], 'bool');
        const labels = tf.tensor2d(classes, [2, 3], 'int32');
        const oneHot = tf.oneHot(labels, 5);
        expectSame(
          (student) => loss(student, teacher, labels, { mask, normalizer: 2.5 }),
          (student) => {
            const rows = responseRows(student, teacher, oneHot, temperature, alpha);
            return tf.div(tf.sum(tf.mul(rows, tf.cast(mask, 'float32'))), 2.5);
          },
          values([2, 3, 5], 0.5),
        );
      });
    });

    test('of rows with weights, and with the loss of each', () => {
      tf.tidy(() => {
        const loss = distillationLoss(tf, response());
        const teacher = values([6, 5], 2);
        const labels = tf.tensor1d(classes, 'int32');
        const rowWeights = tf.tensor1d([2, 0.5, -1, 1, 3, 0.25]);
        const temperatures = tf.fill([6], temperature);
        const rowLosses = new Float64Array(6);
        let expected: number[] = [];
        expectSame(
          (student) => loss(student, teacher, labels, { rowWeights, temperatures, rowLosses }),
          (student) => {
            const oneHot = tf.oneHot(labels, 5);
            const rows = responseRows(student, teacher, oneHot, temperature, alpha);
            expected = [...rows.dataSync()];
            return tf.mean(tf.mul(rows, rowWeights));
          },
          values([6, 5], 0.5),
        );
        for (const [row, each] of expected.entries()) {
          expect(rowLosses[row]).toBeCloseTo(each, 4);
        }
      });
    });

    test('with rows that IGNORE_INDEX excludes', () => {
      tf.tidy(() => {
        const loss = distillationLoss(tf, response());
        const teacher = values([2, 5], 2);
        const labels = tf.tensor1d([IGNORE_INDEX, 4], 'int32');
        const oneHot = tf.oneHot(tf.tensor1d([0, 4], 'int32'), 5);
        expectSame(
          (student) => loss(student, teacher, labels),
          (student) => {
            const rows = responseRows(student, teacher, oneHot, temperature, alpha);
            return tf.sum(tf.mul(rows, [0, 1]));
          },
          values([2, 5], 0.5),
        );
      });
    });

    test('of a strategy that implements only the interface', () => {
      tf.tidy(() => {
        const bare: IDistillationStrategy = {
          temperature: 1,
          alpha: 0,
          computeLoss: (s, t) => new FeatureDistillationStrategy().computeLoss(s, t),
          computeGradient: (s, t) => new FeatureDistillationStrategy().computeGradient(s, t),
        };
        const loss = distillationLoss(tf, bare);
        const teacher = values([4, 3], 2);
        expectSame(
          (student) => loss(student, teacher),
          (student) => tf.losses.meanSquaredError(teacher, student),
          values([4, 3], 0.5),
        );
      });
    });
  });

  test('the teacher may be a Matrix or SparseTargets of the library', () => {
    tf.tidy(() => {
      const loss = distillationLoss(tf, response());
      const [student, teacher] = [values([6, 5], 0.5), values([6, 5], 2)];
      const matrix = new Matrix(Float32Array.from(teacher.dataSync()), 6, 5);
      expectClose(loss(student, matrix), loss(student, teacher));
      const all = SparseTargets.topK(matrix, 5, { temperature });
      expectClose(loss(student, all), loss(student, teacher));
    });
  });

  test('rows may be flat on any side, and a dimension of 1 does not change their order', () => {
    tf.tidy(() => {
      const loss = distillationLoss(tf, response());
      const [student, teacher] = [values([2, 3, 5], 0.5), values([2, 3, 5], 2)];
      const labels = tf.tensor2d(classes, [2, 3], 'int32');
      const oneHot = tf.oneHot(labels, 5);
      const mask = tf.tensor2d([1, 1, 0, 1, 0, 1], [2, 3]);
      const expected = loss(student, teacher, labels, { mask });
      const all: Parameters<typeof loss>[] = [
        [student, tf.reshape(teacher, [6, 5]), tf.reshape(labels, [6]), { mask }],
        [tf.reshape(student, [6, 5]), teacher, labels, { mask }],
        [student, tf.reshape(teacher, [2, 1, 3, 5]), tf.reshape(labels, [2, 3, 1]), { mask }],
        [student, teacher, oneHot, { mask: tf.reshape(mask, [6, 1]) }],
        [student, teacher, tf.reshape(oneHot, [6, 5]), { mask: tf.reshape(mask, [6]) }],
        [student, teacher, tf.cast(tf.reshape(oneHot, [6, 5]), 'float32'), { mask }],
      ];
      for (const call of all) expectClose(loss(...call), expected, 1e-12);
    });
  });

  test('labels of rank 1 are class indices, also for one row and one class', () => {
    tf.tidy(() => {
      const loss = distillationLoss(tf, response());
      const zero = loss(tf.zeros([1, 1]), tf.zeros([1, 1]), tf.tensor1d([0], 'int32'));
      expect(zero.dataSync()[0]).toBe(0);
    });
  });

  test("the rows of a teacher's layer have the order of the student's layer", () => {
    tf.tidy(() => {
      const loss = distillationLoss(tf, ofOutputAndHidden());
      const layers = (phase: number) => ({
        output: values([2, 3, 5], phase),
        hidden: values([3, 2, 4], phase),
      });
      const [student, teacher] = [layers(0.5), layers(2)];
      const flat = {
        output: tf.reshape(teacher.output, [6, 5]),
        hidden: tf.reshape(teacher.hidden, [6, 4]),
      };
      expectClose(loss(student, teacher), loss(student, flat), 1e-12);
    });
  });

  test('labels have the rows of the layers whose strategies read them', () => {
    tf.tidy(() => {
      const loss = distillationLoss(tf, ofOutputAndHidden());
      const layers = (phase: number) => ({
        output: values([2, 8, 5], phase),
        // channels first: the same number of rows with another meaning
        hidden: values([2, 2, 4, 4], phase),
      });
      const labels = Int32Array.from({ length: 16 }, (_, i) => i % 5);
      const [student, teacher] = [layers(0.5), layers(2)];
      const inOrder = loss(student, teacher, tf.tensor(labels, [2, 8], 'int32'));
      expectClose(inOrder, loss(student, teacher, labels), 1e-12);
      const transposed = tf.tensor(labels, [8, 2], 'int32');
      expect(() => loss(student, teacher, transposed)).toThrow(/labels has shape \[8, 2\]/);
    });
  });

  test('a hybrid on two layers of a model trains its weights as operations do', () => {
    tf.tidy(() => {
      const inputs = values([4, 3], 1);
      const weights = [values([3, 5], 3, 0.7), values([5, 4], 4, 0.7)].map((initial) =>
        tf.variable(initial),
      );
      const model = () => {
        const hidden = tf.tanh(tf.matMul(inputs, weights[0]!));
        return { output: tf.matMul(hidden, weights[1]!), hidden, unread: tf.relu(hidden) };
      };
      const teacher = { output: values([4, 4], 5), hidden: values([4, 5], 6) };
      const labels = tf.tensor1d([3, 0, 1, 1], 'int32');
      const hybrid = new HybridDistillationStrategy([
        { strategy: response(), weight: 0.6, name: 'response' },
        { strategy: new FeatureDistillationStrategy(), weight: 0.4, layer: 'hidden' },
      ]);
      const loss = distillationLoss(tf, hybrid);
      const mask = { hidden: tf.tensor1d([1, 0, 1, 1]) };
      const actual = tf.variableGrads(() => loss(model(), teacher, labels, { mask }));
      const expected = tf.variableGrads(() => {
        const { output, hidden } = model();
        const oneHot = tf.oneHot(labels, 4);
        const rows = responseRows(output, teacher.output, oneHot, temperature, alpha);
        const squares = tf.mean(tf.squaredDifference(hidden, teacher.hidden), 1);
        const feature = tf.div(tf.sum(tf.mul(squares, mask.hidden)), 3);
        return tf.add<tf.Scalar>(tf.mul(tf.mean(rows), 0.6), tf.mul(feature, 0.4));
      });
      expectClose(actual.value, expected.value);
      for (const { name } of weights) expectClose(actual.grads[name]!, expected.grads[name]!);
      expect(loss.components.map(({ name }) => name)).toEqual([
        'response',
        'FeatureDistillationStrategy',
      ]);
      const sum = loss.components.reduce((total, { weighted }) => total + weighted, 0);
      expect(actual.value.dataSync()[0]).toBeCloseTo(sum, 6);
      tf.dispose(weights);
    });
  });

  test('a hybrid on one output is used as any other loss', () => {
    tf.tidy(() => {
      const loss = distillationLoss(
        tf,
        new HybridDistillationStrategy([{ strategy: response(), weight: 1 }]),
      );
      const [student, teacher] = [values([6, 5], 0.5), values([6, 5], 2)];
      expectClose(loss(student, teacher), distillationLoss(tf, response())(student, teacher));
      expect(loss.components).toHaveLength(1);
    });
  });

  test('one layer may be read twice under two names', () => {
    tf.tidy(() => {
      const entry = (layer: string) => ({
        strategy: new FeatureDistillationStrategy(),
        weight: 0.5,
        layer,
      });
      const loss = distillationLoss(tf, new HybridDistillationStrategy([entry('a'), entry('b')]));
      const teacher = values([4, 3], 2);
      expectSame(
        (student) => loss({ a: student, b: student }, { a: teacher, b: teacher }),
        (student) => tf.losses.meanSquaredError(teacher, student),
        values([4, 3], 0.5),
      );
    });
  });

  test('the optimizer of the model steps a learned projection', () => {
    const projection = new LinearProjection(3, 5, { seed: 4 });
    const initial = projection.parameters().map(({ value }) => Float32Array.from(value.data));
    const strategy = new FeatureDistillationStrategy({ projection });
    const before = tf.memory().numTensors;
    const loss = distillationLoss(tf, strategy);
    expect(loss.variables).toHaveLength(1);
    tf.tidy(() => {
      const [inputs, teacher] = [values([4, 2], 1), values([4, 5], 2)];
      const start = values([2, 3], 3);
      const [ours, theirs] = [tf.variable(start), tf.variable(start)];
      const weights = tf.variable(tf.tensor2d(initial[0]!, [3, 5]));
      const byOperations = () => {
        const projected = tf.matMul(tf.matMul(inputs, theirs), weights);
        return tf.mean<tf.Scalar>(tf.squaredDifference(projected, teacher));
      };
      const byLibrary = () => loss(tf.matMul(inputs, ours), teacher);
      const first = byLibrary().dataSync()[0]!;
      const optimizer = tf.train.sgd(0.1);
      for (let step = 0; step < 20; step++) {
        optimizer.minimize(byLibrary, false, [ours, ...loss.variables]);
        optimizer.minimize(byOperations, false, [theirs, weights]);
      }
      expectClose(ours, theirs, 1e-5);
      expectClose(loss.variables[0]!, weights, 1e-5);
      expect(byLibrary().dataSync()[0]).toBeLessThan(first / 2);
      // The strategy has the new values, too.
      expect(projection.parameters()[0]!.value.data).toEqual(loss.variables[0]!.dataSync());
      // Without a list, an optimizer finds the variables itself.
      optimizer.minimize(byLibrary);
      expect(loss.variables[0]!.dataSync()).not.toEqual(projection.parameters()[0]!.value.data);
      tf.dispose([ours, theirs, weights]);
      optimizer.dispose();
    });
    loss.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('no tensor is left after 1,000 steps', () => {
    const projection = new LinearProjection(5, 4, { seed: 1 });
    const loss = distillationLoss(
      tf,
      new HybridDistillationStrategy([
        { strategy: response(), weight: 0.5 },
        {
          strategy: new FeatureDistillationStrategy({ projection }),
          weight: 0.5,
          layer: 'hidden',
        },
      ]),
    );
    const weights = tf.tidy(() => tf.variable(values([3, 5], 3)));
    const inputs = values([2, 3], 1);
    const teacher = { output: values([2, 5], 5), hidden: values([2, 4], 6) };
    const labels = tf.tensor1d([3, 0], 'int32');
    const optimizer = tf.train.sgd(0.01);
    const step = () =>
      optimizer.minimize(() => {
        const output = tf.matMul(inputs, weights);
        return loss({ output, hidden: output }, teacher, labels);
      });
    step();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 1000; i++) step();
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([weights, inputs, labels]);
    tf.dispose(teacher);
    optimizer.dispose();
    loss.dispose();
  }, 60_000);

  test('outside of a gradient it returns its value only', () => {
    const loss = distillationLoss(tf, response());
    const [student, teacher] = [values([6, 5], 0.5), values([6, 5], 2)];
    const before = tf.memory().numTensors;
    const value = loss(student, teacher);
    expect(tf.memory().numTensors).toBe(before + 1);
    tf.dispose([value, student, teacher]);
  });

  test('a batch without rows has loss 0, and a gradient without rows', () => {
    tf.tidy(() => {
      const loss = distillationLoss(tf, response());
      const none = tf.zeros([0, 3]);
      const { value, grad } = tf.valueAndGrad((student) => loss(student, none))(tf.zeros([0, 3]));
      expect(value.dataSync()[0]).toBe(0);
      expect(grad.shape).toEqual([0, 3]);
    });
  });

  test('a loss within the gradient of another loss has its own gradient', () => {
    tf.tidy(() => {
      const loss = distillationLoss(tf, response());
      const [weights, teacher] = [values([4, 5], 0.5), values([4, 5], 2)];
      const first = tf.grad((student) => loss(student, teacher))(weights);
      const nested = tf.grad((student) => {
        const inner = tf.tidy(() => tf.grad((other) => loss(other, teacher))(weights));
        expectClose(inner, first, 1e-12);
        return tf.tidy(() => loss(tf.mul(student, 2), teacher));
      })(weights);
      const twice = tf.grad((student) => loss(student, teacher))(tf.mul(weights, 2));
      expectClose(nested, tf.mul(twice, 2));
    });
  });

  describe('a second derivative', () => {
    const loss = distillationLoss(tf, response());

    test('is refused, since the strategy has none', () => {
      tf.tidy(() => {
        const teacher = values([2, 5], 2);
        const slope = tf.grad((student) => loss(student, teacher));
        const penalty = tf.grad((x) => tf.sum(tf.square(slope(tf.mul(x, 2)))));
        expect(() => penalty(values([2, 5], 0.5))).toThrow(
          'distillationLoss: the gradient must not be differentiated again, got a gradient of it',
        );
      });
    });

    test('is correct if it does not pass through the strategy', () => {
      tf.tidy(() => {
        const [student, teacher] = [values([2, 5], 0.5), values([2, 5], 2)];
        const sumOfSlope = (x: tf.Tensor) =>
          tf.sum(tf.square(tf.grad((z) => tf.mul(x, loss(z, teacher)))(student)));
        const squares = sumOfSlope(tf.scalar(1)); // c, in c x²
        expectClose(tf.grad(sumOfSlope)(tf.scalar(3)), tf.mul(squares, 6));
      });
    });
  });
});

test('types follow the given TensorFlow.js', () => {
  const loss = distillationLoss(tf, response());
  expectTypeOf(loss).returns.toEqualTypeOf<tf.Scalar>();
  expectTypeOf(loss).parameter(0).toEqualTypeOf<tf.Tensor>();
  expectTypeOf(loss.variables).toEqualTypeOf<readonly tf.Variable[]>();
  // @ts-expect-error: layers are for a hybrid
  expect(() => loss({ output: tf.zeros([1, 2]) }, { output: tf.zeros([1, 2]) })).toThrow();
});

test('attention maps of several heads flatten to one row per query', () => {
  tf.tidy(() => {
    const loss = distillationLoss(tf, new AttentionDistillationStrategy());
    const [student, teacher] = [values([2, 3, 4, 4], 0.5), values([2, 3, 4, 4], 2)].map((scores) =>
      tf.softmax(scores),
    );
    expectSame(
      (maps) => loss(maps, teacher!),
      (maps) => tf.losses.meanSquaredError(teacher!, maps),
      student!,
    );
  });
});
