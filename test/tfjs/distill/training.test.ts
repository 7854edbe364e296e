import * as tf from '@tensorflow/tfjs';
import { expect, expectTypeOf, test } from 'vitest';
import {
  AttentionTransferDistillationStrategy,
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
} from '../../../src/index.js';
import { type DistillHistory, distill, distillationLoss } from '../../../src/tfjs/index.js';
import { expectElementsClose } from '../../support/tensorValues.js';
import { onAsynchronousBackend, onEachBackend, values } from '../backends.js';
import {
  CLASSES,
  INPUTS,
  LABELS,
  makeData,
  makeHybrid,
  makeModel,
  makeProjection,
  makeResponse,
  makeStudent,
  makeTeacher,
  SAMPLES,
  weightsOf,
} from './models.js';

/** The output and the layer named hidden. */
function layersOf(
  model: tf.LayersModel,
): (x: tf.Tensor) => { output: tf.Tensor; hidden: tf.Tensor } {
  const outputs = [model.outputs[0]!, model.getLayer('hidden').output as tf.SymbolicTensor];
  const both = tf.model({ inputs: model.inputs, outputs });
  return (x) => {
    const [output, hidden] = both.apply(x, { training: true }) as [tf.Tensor, tf.Tensor];
    return { output, hidden };
  };
}

onEachBackend(() => {
  test('trains bit by bit as a loop written by hand', async () => {
    const [data, teacher, student, byHand] = [
      makeData(),
      makeTeacher(),
      makeStudent(),
      makeStudent(),
    ];
    const [ours, theirs] = [makeProjection(), makeProjection()];
    const { history } = await distill(tf, {
      teacher,
      student,
      strategy: makeHybrid(ours),
      optimizer: tf.train.adam(0.05),
      data,
      labels: LABELS,
      epochs: 3,
      batchSize: 16,
      shuffle: false,
    });

    const loss = distillationLoss(tf, makeHybrid(theirs));
    const optimizer = tf.train.adam(0.05);
    const variables = [
      ...byHand.trainableWeights.map((weight) => weight.read() as tf.Variable),
      ...loss.variables,
    ];
    const [teach, learn] = [layersOf(teacher), layersOf(byHand)];
    const losses: number[] = [];
    const responses: number[] = [];
    for (let epoch = 0; epoch < 3; epoch++) {
      let [sum, responseSum] = [0, 0];
      for (let start = 0; start < SAMPLES; start += 16) {
        const size = Math.min(16, SAMPLES - start);
        const x = tf.slice(data, [start, 0], [size, INPUTS]);
        const labels = Int32Array.from(LABELS.slice(start, start + size));
        const cost = optimizer.minimize(() => loss(learn(x), teach(x), labels), true, variables);
        sum += size * cost!.dataSync()[0]!;
        responseSum += size * loss.components[0]!.loss;
      }
      losses.push(sum / SAMPLES);
      responses.push(responseSum / SAMPLES);
    }
    expect(await weightsOf(student)).toEqual(await weightsOf(byHand));
    expect([...ours.parameters()[0]!.value.data]).toEqual([...loss.variables[0]!.dataSync()]);
    expectElementsClose(history.loss!, losses, 1e-12);
    expectElementsClose(history.response_loss!, responses, 1e-12);
    expect(losses[2]).toBeLessThan(0.9 * losses[0]!);
    tf.disposeVariables();
  });

  test('accepts a function as student, and a strategy that is no hybrid', async () => {
    const [data, teacher] = [makeData(), makeTeacher()];
    const start = values([INPUTS, CLASSES], 3, 0.5);
    const [ours, theirs] = [tf.variable(start), tf.variable(start)];
    const seen: boolean[] = [];
    const { epoch, history } = await distill(tf, {
      teacher,
      student: (x, { training }) => {
        seen.push(training);
        return tf.matMul(x as tf.Tensor2D, ours as tf.Tensor2D);
      },
      variables: [ours],
      strategy: makeResponse(),
      optimizer: tf.train.sgd(0.5),
      data,
      epochs: 2,
      batchSize: SAMPLES,
      validation: { data },
      shuffle: false,
    });
    const loss = distillationLoss(tf, makeResponse());
    const target = teacher.predict(data) as tf.Tensor;
    for (let step = 0; step < 2; step++) {
      tf.train.sgd(0.5).minimize(() => loss(tf.matMul(data, theirs), target), false, [theirs]);
    }
    expect(await ours.data()).toEqual(await theirs.data());
    expect(epoch).toEqual([0, 1]);
    expect(Object.keys(history)).toEqual(['loss', 'val_loss', 'val_agreement']);
    // The model that is validated after an epoch begins the next epoch.
    expect(history.val_loss![0]).toBeCloseTo(history.loss![1]!, 6);
    expect(seen).toContain(true);
    expect(seen.at(-1)).toBe(false);
    tf.disposeVariables();
  });

  test('dropout and batch normalization are in training mode during steps only', async () => {
    const between = () => [
      tf.layers.batchNormalization({ name: 'norm' }),
      tf.layers.dropout({ rate: 0.5 }),
    ];
    const [data, teacher] = [makeData(), makeModel(7, 10, between())];
    const counted = await weightsOf(teacher);
    const train = async (student: tf.Sequential, validation?: { data: tf.Tensor }) => {
      const optimizer = tf.train.sgd(0);
      const options = { teacher, student, strategy: makeResponse(), optimizer, data, validation };
      const { history } = await distill(tf, { ...options, epochs: 3, batchSize: SAMPLES });
      return { history, weights: await weightsOf(student) };
    };
    const student = makeStudent(between());
    const before = await weightsOf(student);
    const { history, weights } = await train(student, { data });
    expect(await weightsOf(teacher)).toEqual(counted);
    // Each step drops other elements, and a validation drops none.
    expect(new Set(history.loss).size).toBe(3);
    const isMoved = weights.map((weight, i) => String(weight) !== String(before[i]));
    expect(isMoved.filter(Boolean)).toHaveLength(2);
    const alone = await train(makeStudent(between()));
    expect(alone.weights).toEqual(weights);
    expect(alone.history.loss).toEqual(history.loss);
    tf.disposeVariables();
  });

  test('the penalties of regularizers are part of the loss, as in model.fit', async () => {
    const kernelRegularizer = tf.regularizers.l2({ l2: 0.1 });
    const makeLinear = (regularizer: { kernelRegularizer?: typeof kernelRegularizer }) => {
      const layer = { units: CLASSES, inputShape: [INPUTS], ...regularizer };
      const dense = tf.layers.dense({ ...layer, kernelInitializer: 'ones' });
      return tf.sequential({ layers: [dense] });
    };
    const [data, teacher] = [makeData(), makeTeacher()];
    const strategy = makeResponse();
    const train = async (student: tf.Sequential) => {
      const run = { teacher, student, strategy, optimizer: tf.train.sgd(1), data, epochs: 1 };
      const { history } = await distill(tf, { ...run, batchSize: SAMPLES });
      return { loss: history.loss![0]!, weights: await weightsOf(student) };
    };
    const plain = await train(makeLinear({}));
    const penalized = await train(makeLinear({ kernelRegularizer }));
    // The gradient of 0.1 Σ w² is 0.2 w, and all weights were 1.
    expect(penalized.loss - plain.loss).toBeCloseTo(0.1 * INPUTS * CLASSES, 5);
    expectElementsClose(
      penalized.weights[0]!,
      plain.weights[0]!.map((weight) => weight - 0.2),
      1e-6,
    );
    tf.disposeVariables();
  });

  test('layers that are not trainable stay unchanged', async () => {
    const [data, teacher, student] = [makeData(), makeTeacher(), makeStudent()];
    student.getLayer('hidden').trainable = false;
    const [ofLogits, ofHidden] = [await weightsOf(student), await weightsOf(makeStudent())];
    const optimizer = tf.train.sgd(0.5);
    await distill(tf, { teacher, student, strategy: makeHybrid(), optimizer, data, epochs: 1 });
    const after = await weightsOf(student); // the weights of the frozen layer come last
    expect(after.slice(2)).toEqual(ofHidden.slice(0, 2));
    expect(after.slice(0, 2)).not.toEqual(ofLogits.slice(0, 2));
    tf.disposeVariables();
  });

  test('models of several inputs accept a list, or tensors by name', async () => {
    const teacher = makeModelOfTwo(1);
    const [first, second] = [values([SAMPLES, 3], 1), values([SAMPLES, 2], 2)];
    const train = async (data: tf.Tensor[] | Record<string, tf.Tensor>) => {
      const student = makeModelOfTwo(2);
      const optimizer = tf.train.sgd(0.5);
      await distill(tf, { teacher, student, strategy: makeResponse(), optimizer, data, epochs: 1 });
      return weightsOf(student);
    };
    const byList = await train([first, second]);
    expect(await train({ second, first })).toEqual(byList);
    const untouched = makeModelOfTwo(2);
    expect(byList).not.toEqual(await weightsOf(untouched));
    tf.disposeVariables();
  });

  test('accepts a layer under another name', async () => {
    const [data, teacher] = [makeData(), makeTeacher()];
    const feature = (layer: string) =>
      new HybridDistillationStrategy([
        { strategy: new FeatureDistillationStrategy(), weight: 1, layer },
      ]);
    const train = async (
      layer: string,
      layers?: { student: { code: string }; teacher: { code: string } },
    ) => {
      const student = makeModel(7, 30);
      const optimizer = tf.train.sgd(0.5);
      await distill(tf, {
        teacher,
        student,
        strategy: feature(layer),
        optimizer,
        data,
        layers,
        epochs: 1,
      });
      return weightsOf(student);
    };
    const layers = { student: { code: 'hidden' }, teacher: { code: 'hidden' } };
    expect(await train('code', layers)).toEqual(await train('hidden'));
    tf.disposeVariables();
  });
});

onAsynchronousBackend(() => {
  test('trains bit by bit as with synchronous reads, with the same random draws and means', async () => {
    const train = async (backend: string) => {
      await tf.setBackend(backend);
      const student = makeStudent([
        tf.layers.batchNormalization(),
        tf.layers.dropout({ rate: 0.3 }),
        tf.layers.gaussianNoise({ stddev: 0.1 }),
      ]);
      const [data, projection] = [makeData(), makeProjection()];
      const history = await distill(tf, {
        teacher: makeTeacher(),
        student,
        strategy: makeHybrid(projection),
        optimizer: tf.train.adam(0.05),
        data,
        labels: LABELS,
        epochs: 3,
        validation: { data },
      });
      const learned = [...projection.parameters()[0]!.value.data];
      const weights = await weightsOf(student);
      tf.disposeVariables();
      return { history, learned, weights };
    };
    expect(await train('asynchronous')).toEqual(await train('cpu'));
  });
});

/** A model of two inputs, whose second is first in alphabetical order. */
function makeModelOfTwo(seed: number): tf.LayersModel {
  const inputs = [
    tf.input({ shape: [3], name: 'first' }),
    tf.input({ shape: [2], name: 'second' }),
  ];
  const all = tf.layers.concatenate().apply(inputs) as tf.SymbolicTensor;
  const kernelInitializer = tf.initializers.glorotNormal({ seed });
  const outputs = tf.layers.dense({ units: CLASSES, kernelInitializer }).apply(all);
  return tf.model({ inputs, outputs: outputs as tf.SymbolicTensor });
}

test('layers are renamed, and converted for a strategy', async () => {
  await tf.setBackend('cpu'); // wasm lacks the gradients of convolutions
  const makeConvolution = (filters: number, seed: number) =>
    tf.sequential({
      layers: [
        tf.layers.conv2d({
          name: 'maps',
          filters,
          kernelSize: 3,
          inputShape: [6, 6, 1],
          kernelInitializer: tf.initializers.glorotNormal({ seed }),
        }),
        tf.layers.flatten(),
        tf.layers.dense({
          units: CLASSES,
          kernelInitializer: tf.initializers.glorotNormal({ seed }),
        }),
      ],
    });
  const data = values([8, 6, 6, 1], 1);
  const teacher = makeConvolution(3, 1);
  const channels = { student: 2, teacher: 3 };
  const strategy = (layer: string | { student: string; teacher: string }) =>
    new HybridDistillationStrategy(
      [
        { strategy: makeResponse(), weight: 1 },
        { strategy: new AttentionTransferDistillationStrategy({ channels }), weight: 9, layer },
      ],
      { weights: 'normalize' },
    );
  const rows = (maps: tf.Tensor) => {
    const { shape } = maps;
    const first = tf.transpose(maps, [0, 3, 1, 2]);
    return tf.reshape(first, [shape[0]!, -1]);
  };
  const train = async (
    layer: Parameters<typeof strategy>[0],
    layers: NonNullable<
      Parameters<typeof distill<tf.Tensor, tf.Scalar, tf.Variable, tf.Tensor>>[1]['layers']
    >,
  ) => {
    const student = makeConvolution(2, 2);
    const optimizer = tf.train.sgd(0.5);
    const run = { teacher, student, strategy: strategy(layer), optimizer, data, layers };
    const { history } = await distill(tf, { ...run, epochs: 2, batchSize: 8 });
    return { history, weights: await weightsOf(student) };
  };
  const once = await train('maps', { student: { maps: rows }, teacher: { maps: rows } });
  const view = { layer: 'maps', transform: rows };
  const renamed = await train(
    { student: 'a', teacher: 'b' },
    { student: { a: view }, teacher: { b: view } },
  );
  expect(renamed).toEqual(once);
  expect(once.history.AttentionTransferDistillationStrategy_loss![0]).toBeGreaterThan(0);
  tf.disposeVariables();
});

test('a layer that is used twice, or in another model, is read in the given model', async () => {
  await tf.setBackend('cpu');
  const [data, teacher] = [makeData(), makeTeacher()];
  const whole = makeStudent();
  const part = tf.sequential({ layers: whole.layers.slice(0, 1) });
  const strategy = new HybridDistillationStrategy([
    {
      strategy: new FeatureDistillationStrategy({ projection: makeProjection() }),
      weight: 1,
      layer: 'hidden',
    },
  ]);
  const before = await weightsOf(part);
  const optimizer = tf.train.sgd(0.5);
  await distill(tf, { teacher, student: whole, strategy, optimizer, data, epochs: 1 });
  expect(await weightsOf(part)).not.toEqual(before);
  tf.disposeVariables();
});

test('types follow the given TensorFlow.js and data', () => {
  const student = (x: tf.Tensor2D) => x;
  const call = () =>
    distill(tf, {
      teacher: (x) => {
        expectTypeOf(x).toEqualTypeOf<tf.Tensor2D>();
        return x;
      },
      student,
      variables: [],
      strategy: makeResponse(),
      optimizer: tf.train.sgd(1),
      data: tf.tensor2d([[1]]),
      epochs: 1,
    });
  expectTypeOf(call).returns.resolves.toEqualTypeOf<DistillHistory>();
});
