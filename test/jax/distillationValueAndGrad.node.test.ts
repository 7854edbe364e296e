import * as jax from '@jax-js/jax';
import { numpy as np, tree } from '@jax-js/jax';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  AttentionDistillationStrategy,
  DistillationError,
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  IGNORE_INDEX,
  LinearProjection,
  Matrix,
  ResponseDistillationStrategy,
  SparseTargets,
} from '../../src/index.js';
import { distillationValueAndGrad } from '../../src/jax/index.js';
import { wrong } from '../support/refusal.js';
import { expectClose, onEachDevice, responseRows, values } from './devices.js';

const [temperature, alpha] = [3, 0.3];
const response = () => new ResponseDistillationStrategy({ temperature, alpha });

type Params = { hidden: { weight: np.Array; bias: np.Array }; output: np.Array };

/** A network of two layers with 4 inputs. */
function network(): Params {
  return {
    hidden: { weight: values([4, 3], 1, 0.5), bias: values([3], 2, 0.5) },
    output: values([3, 5], 3),
  };
}

function layersOf(params: Params, inputs: np.Array): { hidden: np.Array; output: np.Array } {
  const hidden = np.tanh(np.dot(inputs, params.hidden.weight).add(params.hidden.bias));
  return { hidden: hidden.ref, output: np.dot(hidden, params.output) };
}

function logitsOf(params: Params, inputs: np.Array): np.Array {
  const { hidden, output } = layersOf(params, inputs);
  hidden.dispose();
  return output;
}

const classes = [1, 0, 4, 2, 2, 3];
const oneHot = () => jax.nn.oneHot(np.array(Int32Array.from(classes)), 5);

onEachDevice(() => {
  /**
   * Expects the same value and gradient from both for the same params; `make` creates the arguments
   * of each call.
   */
  async function expectSame<P extends Params>(
    make: () => P,
    ofStrategy: (params: P) => Promise<{ loss: number; gradient: P }>,
    ofOperations: (params: P) => np.Array,
  ): Promise<void> {
    const actual = await ofStrategy(make());
    const [value, gradient] = jax.valueAndGrad(ofOperations)(make() as never) as [np.Array, P];
    const expected = value.item();
    // The logarithm of jax-js on WebAssembly has an error of this size.
    expect(Math.abs(actual.loss - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
    expectClose<never>(actual.gradient as never, gradient as never);
  }

  describe('value and gradient agree with the automatic differentiation of jax-js', () => {
    test.each([
      ['class indices', () => np.array(Int32Array.from(classes))],
      ['an Int32Array', () => Int32Array.from(classes)],
      ['one-hot', oneHot],
      ['one-hot, int32', () => oneHot().astype(np.int32)],
      ['a matrix', () => Matrix.oneHot(classes, 5)],
    ])('with labels: %s', async (_, labels) => {
      const inputs = values([6, 4], 4);
      const teacher = values([6, 5], 5);
      const valueAndGrad = distillationValueAndGrad(jax, response());
      await expectSame(
        network,
        (params) => valueAndGrad((p) => logitsOf(p, inputs.ref), params, teacher.ref, labels()),
        (params) =>
          responseRows(
            logitsOf(params, inputs.ref),
            teacher.ref,
            oneHot(),
            temperature,
            alpha,
          ).mean(),
      );
      inputs.dispose();
      teacher.dispose();
    });

    test('of sequences, [batch, length, vocabulary], with padding and a normalizer', async () => {
      const inputs = values([2, 3, 4], 4);
      const teacher = values([2, 3, 5], 5);
      const kept = [1, 1, 0, 1, 0, 1];
      const valueAndGrad = distillationValueAndGrad(jax, response());
      await expectSame(
        network,
        (params) =>
          valueAndGrad(
            (p) => logitsOf(p, inputs.ref),
            params,
            teacher.ref,
            np.array(Int32Array.from(classes)).reshape([2, 3]),
            { mask: np.array(kept.map((keep) => keep === 1)).reshape([2, 3]), normalizer: 2.5 },
          ),
        (params) => {
          const targets = oneHot().reshape([2, 3, 5]);
          const rows = responseRows(
            logitsOf(params, inputs.ref),
            teacher.ref,
            targets,
            temperature,
            alpha,
          );
          return rows
            .mul(np.array(Float32Array.from(kept)).reshape([2, 3]))
            .sum()
            .div(2.5);
        },
      );
      inputs.dispose();
      teacher.dispose();
    });

    test('of a teacher that is a matrix or sparse', async () => {
      const inputs = values([6, 4], 4);
      const logits = values([6, 5], 5);
      const matrix = new Matrix((await logits.ref.data()) as Float32Array, 6, 5);
      const valueAndGrad = distillationValueAndGrad(jax, response());
      for (const teacher of [matrix, SparseTargets.topK(matrix, 5, { temperature })]) {
        await expectSame(
          network,
          (params) => valueAndGrad((p) => logitsOf(p, inputs.ref), params, teacher),
          (params) => {
            const student = logitsOf(params, inputs.ref);
            return responseRows(student, logits.ref, np.zeros([6, 5]), temperature, 0).mean();
          },
        );
      }
      inputs.dispose();
      logits.dispose();
    });

    test('of a hybrid with each entry on its layer, for layers of any rank', async () => {
      const inputs = values([2, 3, 4], 4);
      const teacher = { output: values([2, 3, 5], 5), features: values([2, 3, 3], 6) };
      const hybrid = new HybridDistillationStrategy(
        [
          { strategy: new ResponseDistillationStrategy(), weight: 0.75 },
          {
            strategy: new FeatureDistillationStrategy(),
            weight: 0.25,
            layer: { student: 'hidden', teacher: 'features' },
          },
        ],
        { temperature, alpha },
      );
      const valueAndGrad = distillationValueAndGrad(jax, hybrid);
      await expectSame(
        network,
        (params) =>
          valueAndGrad(
            (p) => layersOf(p, inputs.ref),
            params,
            tree.ref(teacher),
            Int32Array.from(classes),
          ),
        (params) => {
          const { hidden, output } = layersOf(params, inputs.ref);
          const targets = oneHot().reshape([2, 3, 5]);
          const rows = responseRows(output, teacher.output.ref, targets, temperature, alpha);
          const squares = np.square(hidden.sub(teacher.features.ref)).mean();
          return rows.mean().mul(0.75).add(squares.mul(0.25));
        },
      );
      inputs.dispose();
      tree.dispose(teacher);
    });
  });

  const response2 = distillationValueAndGrad(jax, response());

  test('a layer that no entry reads is ignored on either side', async () => {
    const inputs = values([6, 4], 4);
    const teacher = values([6, 5], 5);
    const hybrid = new HybridDistillationStrategy([{ strategy: response(), weight: 1 }]);
    const layerwise = await distillationValueAndGrad(jax, hybrid)(
      (p: Params) => ({ ...layersOf(p, inputs.ref), tokens: np.array(Int32Array.of(1, 2)) }),
      network(),
      { output: teacher.ref, other: np.array([1, 2, 3]) },
    );
    const single = await response2((p: Params) => logitsOf(p, inputs), network(), teacher);
    expect(layerwise.loss).toBe(single.loss);
    expect(layerwise.components).toMatchObject([{ weight: 1, loss: single.loss }]);
    expectClose(layerwise.gradient, single.gradient, 1e-12);
  });

  test('an output may be a parameter, occur twice, or not depend on the params', async () => {
    const square = new FeatureDistillationStrategy();
    const identity = await distillationValueAndGrad(jax, square)(
      (x: np.Array) => x,
      np.array([[1, 2]]),
      np.array([[0, 4]]),
    );
    expect(identity.loss).toBeCloseTo(2.5);
    expect(identity.gradient.js()).toEqual([[1, -2]]);

    const both = new HybridDistillationStrategy([
      { strategy: square, weight: 0.5, layer: 'a' },
      { strategy: square, weight: 0.5, layer: 'b' },
    ]);
    const twice = await distillationValueAndGrad(jax, both)(
      (x: np.Array) => ({ a: x.ref, b: x }),
      np.array([[1, 2]]),
      { a: np.array([[0, 4]]), b: Matrix.fromRows([[0, 4]]) },
    );
    expect(twice.gradient.js()).toEqual([[1, -2]]);

    const constant = await distillationValueAndGrad(jax, square)(
      (x: np.Array) => {
        x.dispose();
        return np.array([[3, 2]]);
      },
      np.array([[1, 2]]),
      np.array([[0, 4]]),
    );
    expect(constant.loss).toBeCloseTo(6.5);
    expect(constant.gradient.js()).toEqual([[0, 0]]);
  });

  test('a strategy that implements only the interface is accepted', async () => {
    const sum: IDistillationStrategy = {
      temperature: 1,
      alpha: 0,
      computeLoss: (student) => student.data.reduce((total, value) => total + value, 0),
      computeGradient: (student) =>
        new Matrix(
          student.data.map(() => 1),
          student.rows,
          student.columns,
        ),
    };
    const { loss, gradient, components } = await distillationValueAndGrad(jax, sum)(
      (x: np.Array) => x.mul(2),
      np.array([[1, 2]]),
      Matrix.zeros(1, 2),
    );
    expect([loss, components]).toEqual([6, []]);
    expect(gradient.js()).toEqual([[2, 2]]);
  });

  test('a projection of the strategy has its gradients after each call', async () => {
    const projection = new LinearProjection(3, 2);
    const feature = new FeatureDistillationStrategy({ projection });
    const student = values([4, 3], 1);
    const teacher = values([4, 2], 2);
    const matrices = await Promise.all(
      [student, teacher].map(async (array) =>
        Matrix.fromTensor({ data: await array.ref.data(), shape: array.shape } as never),
      ),
    );
    const expected = feature.computeGradient(matrices[0] as Matrix, matrices[1] as Matrix);
    const learned = feature.parameters().map(({ gradient }) => gradient.clone());
    for (const { gradient } of feature.parameters()) gradient.data.fill(0);

    const { gradient } = await distillationValueAndGrad(jax, feature)(
      (x: np.Array) => x,
      student,
      teacher,
    );
    expect(await gradient.data()).toEqual(expected.data);
    expect(feature.parameters().map((parameter) => parameter.gradient)).toEqual(learned);
  });

  test('a student learns', async () => {
    const inputs = values([32, 4], 4);
    const teacher = values([32, 5], 5, 1);
    const labels = Int32Array.from({ length: 32 }, (_, i) => (i < 4 ? i : IGNORE_INDEX));
    let params = network();
    const losses: number[] = [];
    for (let step = 0; step < 20; step++) {
      const { loss, gradient } = await response2(
        (p: Params) => logitsOf(p, inputs.ref),
        tree.ref(params),
        teacher.ref,
        labels,
      );
      losses.push(loss);
      params = tree.map(
        (p: np.Array, g: np.Array) => p.sub(g.mul(0.2)),
        params,
        gradient,
      ) as Params;
    }
    expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]!);
    tree.dispose([params.hidden, params.output]);
    inputs.dispose();
    teacher.dispose();
  });

  test('arguments and outputs are consumed, once for each reference', async () => {
    const [params, inputs, teacher] = [network(), values([6, 4], 4), values([6, 5], 5)];
    const labels = np.array(Int32Array.from(classes));
    const [mask, rowWeights, temperatures] = [np.ones([6]), np.ones([6]), np.ones([6])];
    const rowLosses = new Float64Array(6);
    let output: np.Array | undefined;
    const { loss, gradient } = await response2(
      (p: Params) => {
        output = logitsOf(p, inputs);
        return output;
      },
      tree.ref(params),
      teacher.ref,
      labels.ref,
      {
        mask: mask.ref,
        rowWeights: rowWeights.ref,
        temperatures: temperatures.ref,
        rowLosses,
      },
    );
    expect(rowLosses.reduce((sum, each) => sum + each) / 6).toBeCloseTo(loss, 6);
    const ofRows = [teacher, labels, mask, rowWeights, temperatures];
    const arrays = [...tree.leaves<np.Array>(params), ...ofRows];
    expect(arrays.map(({ refCount }) => refCount)).toEqual(new Array(8).fill(1));
    expect(inputs.refCount).toBe(0);
    expect(tree.leaves<np.Array>(gradient).map(({ refCount }) => refCount)).toEqual([1, 1, 1]);
    for (const array of arrays) array.dispose();
    tree.dispose(gradient);
    expect(output).toBeDefined();
  });

  test('a batch without rows has loss 0, and a gradient without rows', async () => {
    const none = np.zeros([0, 3]);
    const { loss, gradient } = await response2((p: np.Array) => p.mul(2), none.ref, none);
    expect(loss).toBe(0);
    expect(gradient.shape).toEqual([0, 3]);
    gradient.dispose();
  });

  test('the same array may be passed twice', async () => {
    const both = np.array([[0.25, 0.75]]);
    const { loss, gradient } = await response2((x: np.Array) => x, both.ref, both.ref, both);
    expect(both.refCount).toBe(0);
    expect(loss).toBeGreaterThan(0);
    gradient.dispose();
  });

  const x = () => np.array([[1, 2, 3]]);
  const same = (given: np.Array) => given;
  const hybrid = distillationValueAndGrad(
    jax,
    new HybridDistillationStrategy([
      { strategy: response(), weight: 0.5 },
      { strategy: new AttentionDistillationStrategy(), weight: 0.5, layer: 'attention' },
    ]),
  );

  test.each<[string, () => Promise<unknown>]>([
    [
      'student must be float32, got int32; use student.astype(np.float32)',
      () => response2((p: np.Array) => p.astype(np.int32), x(), x()),
    ],
    [
      'teacher must be float32, got int32; use teacher.astype(np.float32)',
      () => response2(same, x(), x().astype(np.int32)),
    ],
    [
      'student has shape [3], expected [1, 3] (rank 2 or more)',
      () => response2((p: np.Array) => p.reshape([3]), x(), x()),
    ],
    [
      'labels must be int32 class indices, or a distribution for each row, got float32 of shape [1]; use labels.astype(np.int32)',
      () => response2(same, x(), x(), np.array([1])),
    ],
    [
      'labels must be int32 or float32, got bool; use labels.astype(np.int32)',
      () => response2(same, x(), x(), np.array([true])),
    ],
    [
      'unknown option "gradient"; known options: mask, rowWeights, temperatures, normalizer, rowLosses',
      () => response2(same, x(), x(), undefined, wrong({ gradient: x() })),
    ],
    [
      'student must be a tensor, got an object; tensors by layer are for a HybridDistillationStrategy',
      () =>
        response2(
          wrong<(p: np.Array) => np.Array>((p: np.Array) => ({ output: p })),
          x(),
          x(),
        ),
    ],
    [
      "teacher has shape [3, 2, 1], expected [2, 3, 1] (rows as in the student's [2, 3, 1]); " +
        'transpose it, or reshape it to [6, 1] if its rows are in that order',
      () => response2(same, np.zeros([2, 3, 1]), np.zeros([3, 2, 1])),
    ],
    [
      "labels has shape [3, 2], expected [2, 3] (rows as in the student's [2, 3, 1]); " +
        'transpose it, or reshape it to [6] if its rows are in that order',
      () =>
        response2(
          same,
          np.zeros([2, 3, 1]),
          np.zeros([6, 1]),
          np.zeros([3, 2], { dtype: np.int32 }),
        ),
    ],
    [
      "options.mask has shape [3, 2], expected [2, 3] (rows as in the student's [2, 3, 1]); " +
        'transpose it, or reshape it to [6] if its rows are in that order',
      () =>
        response2(same, np.zeros([2, 3, 1]), np.zeros([2, 3, 1]), undefined, {
          mask: np.ones([3, 2]),
        }),
    ],
    [
      "gradient has shape [3, 1], expected [1, 3] (the student's shape); is it transposed?",
      () => {
        const transposing: IDistillationStrategy = {
          temperature: 1,
          alpha: 0,
          computeLoss: () => 0,
          computeGradient: ({ data, rows, columns }) => new Matrix(data.slice(), columns, rows),
        };
        return distillationValueAndGrad(jax, transposing)(same, x(), x());
      },
    ],
    [
      'teacher must be tensors by layer, as the student is, got an object of type Array',
      () => hybrid((p: np.Array) => ({ output: p.ref, attention: p }), x(), wrong(x())),
    ],
  ])('a refused call consumes its arguments and frees the rest: %s', async (message, call) => {
    await expect(call()).rejects.toMatchObject({ message: `distillationValueAndGrad: ${message}` });
  });

  test('a call that the strategy refuses consumes its arguments and frees the rest', async () => {
    await expect(response2(same, x(), np.array([[1, 2]]))).rejects.toThrow(
      'teacher has shape [1, 2], expected [1, 3]',
    );
    await expect(response2((p: np.Array) => p.mul(Number.NaN), x(), x())).rejects.toThrow(
      DistillationError,
    );
    await expect(
      hybrid((p: np.Array) => ({ output: p }), x(), { output: x(), attention: x() }),
    ).rejects.toThrow("studentLayers must have a layer 'attention', got output");
    await expect(response2(wrong<typeof same>(undefined), x(), x())).rejects.toThrow(
      'forward must be',
    );
    const nothing = wrong<(p: np.Array) => np.Array>((p: np.Array) => p.dispose());
    await expect(response2(nothing, x(), x())).rejects.toThrow(
      'distillationValueAndGrad: student must be a tensor or tensors by layer, got undefined',
    );
    for (const [made, received] of [
      [3, '3'],
      [Promise.resolve(), 'an object of type Promise'],
    ]) {
      const forward = wrong<(p: np.Array) => np.Array>((p: np.Array) => {
        p.dispose();
        return made;
      });
      await expect(response2(forward, x(), x())).rejects.toThrow(
        `student must be a tensor or tensors by layer, got ${received}`,
      );
    }
    const list = wrong<(p: np.Array) => np.Array>((p: np.Array) => [p]);
    await expect(response2(list, x(), x())).rejects.toThrow(
      'student must be a tensor or tensors by layer, got an array',
    );
    const hole = wrong<(p: np.Array) => { output: np.Array }>((p: np.Array) => ({
      output: p,
      attention: undefined,
    }));
    await expect(hybrid(hole, x(), { output: x(), attention: x() })).rejects.toThrow(
      "studentLayers must have a layer 'attention', got output",
    );
    const ofTensorFlow = {
      shape: [1, 3],
      dtype: 'float32',
      dataSync: () => new Float32Array(3),
      data: async () => new Float32Array(3),
    };
    await expect(response2(same, x(), wrong(ofTensorFlow))).rejects.toThrow(
      'distillationValueAndGrad: teacher must be an array of jax-js, got an object',
    );
    const used = x();
    used.dispose();
    await expect(response2(same, x(), used, x())).rejects.toThrow('use .ref');
  });
});

test('refuses invalid jax-js, strategies and functions', async () => {
  expect(() => distillationValueAndGrad(wrong<typeof jax>({}), response())).toThrow(
    "distillationValueAndGrad: jax must be jax-js, got an object; import * as jax from '@jax-js/jax'",
  );
  expect(() => distillationValueAndGrad(jax, wrong({}))).toThrow(
    'distillationValueAndGrad: strategy must have computeLoss and computeGradient, got an object',
  );
  await expect(
    distillationValueAndGrad(jax, response())(
      wrong<(x: number) => np.Array>(undefined),
      1,
      Matrix.zeros(1, 1),
    ),
  ).rejects.toThrow('forward must be a function that returns the output, got undefined');
});

test('the gradient has the type of the params, and layers are for hybrids only', () => {
  const valueAndGrad = distillationValueAndGrad(jax, response());
  const layerwise = distillationValueAndGrad(
    jax,
    new HybridDistillationStrategy([{ strategy: response(), weight: 1 }]),
  );
  const teacher = Matrix.zeros(1, 1);
  const check = async (params: Params, inputs: np.Array) => {
    const { gradient, loss } = await valueAndGrad(
      (p: Params) => logitsOf(p, inputs),
      params,
      teacher,
    );
    expectTypeOf(gradient).toEqualTypeOf<Params>();
    expectTypeOf(loss).toBeNumber();
    // @ts-expect-error
    await valueAndGrad((p: Params) => layersOf(p, inputs), params, teacher);
    await layerwise((p: Params) => layersOf(p, inputs), params, { output: teacher });
    await layerwise((p: Params) => logitsOf(p, inputs), params, teacher);
    // @ts-expect-error
    await valueAndGrad((p: Params) => logitsOf(p, inputs), inputs, teacher);
  };
  expect(check).toBeTypeOf('function');
});
