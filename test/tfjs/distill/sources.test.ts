import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import {
  CrossEntropyDistillationStrategy,
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  IGNORE_INDEX,
  Matrix,
  SparseTargets,
  UNLABELED,
} from '../../../src/index.js';
import { type DistillOptions, distill } from '../../../src/tfjs/index.js';
import { expectElementsClose } from '../../support/tensorValues.js';
import { onEachBackend, values } from '../backends.js';
import {
  CLASSES,
  LABELS,
  makeData,
  makeHybrid,
  makeResponse,
  makeStudent,
  makeTeacher,
  SAMPLES,
  weightsOf,
} from './models.js';

type Options = DistillOptions<tf.Tensor, tf.Variable, tf.Tensor>;

/**
 * Trains a new student for two epochs in shuffled order, by the response loss or by the given
 * options.
 */
async function learned(options: Partial<Options>): Promise<number[][]> {
  const student = makeStudent();
  const [strategy, optimizer, data] = [makeResponse(), tf.train.sgd(0.5), makeData()];
  const defaults = { student, strategy, optimizer, data, epochs: 2, batchSize: 16, seed: 5 };
  const given = await distill(tf, { ...defaults, ...options });
  expect(given.epoch).toEqual([0, 1]);
  return weightsOf(student);
}

function expectSame(actual: number[][], expected: number[][], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((weight, i) => {
    expectElementsClose(weight, expected[i]!, tolerance);
  });
}

const matrixOf = (tensor: tf.Tensor) =>
  Matrix.fromTensor({ data: Float32Array.from(tensor.dataSync()), shape: tensor.shape });

onEachBackend(() => {
  test('a teacher is a model, a function, a promise, or its outputs for all samples', async () => {
    const teacher = makeTeacher();
    const stored = teacher.predict(makeData()) as tf.Tensor;
    const matrix = matrixOf(stored);
    const all = SparseTargets.topK(matrix, CLASSES, { temperature: 2 });
    const { indices, values: logProbabilities, logTail, columns } = all;
    const untold = new SparseTargets({ indices, logProbabilities, columns, temperature: 2 });
    const largest = Float32Array.from(indices, (column, i) =>
      matrix.get(Math.floor(i / CLASSES), column),
    );
    const logits = new Matrix(largest, SAMPLES, CLASSES);
    expect(logTail).toBeDefined();
    const teachers: Options['teacher'][] = [
      (x) => teacher.predict(x) as tf.Tensor,
      (x) => ({ output: teacher.predict(x) as tf.Tensor, unread: tf.ones([1]) }),
      async (x) => matrixOf(teacher.predict(x) as tf.Tensor),
      async (x) => ({ output: teacher.predict(x) as tf.Tensor }),
      stored,
      { output: stored },
      matrix,
      { output: matrix, hidden: Matrix.zeros(SAMPLES, 2) },
      all,
      untold,
      new SparseTargets({ indices, logits, columns }),
    ];
    const expected = await learned({ teacher });
    for (const other of teachers) expectSame(await learned({ teacher: other }), expected, 1e-5);
    tf.disposeVariables();
  });

  test("the teacher's layers for a hybrid may be stored, too", async () => {
    const teacher = makeTeacher();
    const hidden = tf.model({
      inputs: teacher.inputs,
      outputs: teacher.getLayer('hidden').output as tf.SymbolicTensor,
    });
    const data = makeData();
    const stored = {
      output: teacher.predict(data) as tf.Tensor,
      hidden: matrixOf(hidden.predict(data) as tf.Tensor),
    };
    const expected = await learned({ teacher, strategy: makeHybrid() });
    expectSame(await learned({ teacher: stored, strategy: makeHybrid() }), expected, 1e-5);
    tf.disposeVariables();
  });

  test('labels are class indices or distributions', async () => {
    const teacher = makeTeacher();
    const oneHot = tf.oneHot(tf.tensor1d([...LABELS], 'int32'), CLASSES);
    const all: Options['labels'][] = [
      Int32Array.from(LABELS),
      Uint8Array.from(LABELS),
      Float64Array.from(LABELS),
      tf.tensor1d([...LABELS], 'int32'),
      oneHot,
      tf.cast(oneHot, 'float32'),
      Matrix.oneHot(LABELS, CLASSES),
    ];
    const expected = await learned({ teacher, labels: LABELS });
    for (const labels of all) expect(await learned({ teacher, labels })).toEqual(expected);
    expect(await learned({ teacher })).not.toEqual(expected);
    tf.disposeVariables();
  });

  test('a sample may have no label, or be excluded', async () => {
    const teacher = makeTeacher();
    const unlabelled = LABELS.map(() => UNLABELED);
    expectSame(await learned({ teacher, labels: unlabelled }), await learned({ teacher }), 1e-6);
    const ignored = LABELS.map((label, i) => (i % 3 === 0 ? IGNORE_INDEX : label));
    const mask = LABELS.map((_, i) => (i % 3 === 0 ? 0 : 1));
    const expected = await learned({ teacher, labels: ignored });
    const masks: Options['mask'][] = [
      mask,
      Uint8Array.from(mask),
      tf.tensor1d(mask),
      tf.tensor1d(mask, 'bool'),
    ];
    for (const one of masks) {
      expect(await learned({ teacher, labels: LABELS, mask: one })).toEqual(expected);
    }
    expect(await learned({ teacher, labels: LABELS })).not.toEqual(expected);
    tf.disposeVariables();
  });

  test('a baseline learns from labels alone, without a teacher', async () => {
    const strategy = new CrossEntropyDistillationStrategy();
    const baseline = await learned({ strategy, labels: LABELS });
    expect(baseline).toEqual(await learned({ strategy, labels: LABELS, teacher: makeTeacher() }));
    tf.disposeVariables();
  });

  test('a mask may apply to one layer', async () => {
    const teacher = makeTeacher();
    const mask = LABELS.map((_, i) => (i % 3 === 0 ? 0 : 1));
    const train = (given: Options['mask']) =>
      learned({ teacher, strategy: makeHybrid(), mask: given });
    expect(await train({ output: mask })).not.toEqual(await train({ hidden: mask }));
    const both = await train({ output: mask, hidden: tf.tensor1d(mask) });
    expect(both).toEqual(await train(mask));
    tf.disposeVariables();
  });

  test('a sample may be a sequence with several rows', async () => {
    const [samples, length, width] = [6, 3, 2];
    const data = values([samples, length, width], 1);
    const [weights, teacherWeights] = [values([width, CLASSES], 3), values([width, CLASSES], 4)];
    const apply = (x: tf.Tensor, matrix: tf.Tensor) =>
      tf.reshape(tf.matMul(tf.reshape(x, [-1, width]), matrix), [-1, length, CLASSES]);
    const target = apply(data, teacherWeights);
    const labels = tf.tensor2d(
      Array.from({ length: samples * length }, (_, i) => (i % 5 === 0 ? UNLABELED : i % CLASSES)),
      [samples, length],
      'int32',
    );
    const mask = tf.tensor2d([1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1], [6, 3]);
    const train = async (options: Pick<Options, 'teacher' | 'labels' | 'mask'>) => {
      const variable = tf.variable(weights);
      const run = { student: (x: tf.Tensor) => apply(x, variable), variables: [variable], data };
      const how = {
        strategy: makeResponse(),
        optimizer: tf.train.sgd(0.5),
        epochs: 2,
        batchSize: 4,
      };
      await distill(tf, { ...run, ...how, ...options });
      return [...(await variable.data())];
    };
    const expected = await train({ teacher: target, labels, mask });
    expectElementsClose(await train({ teacher: matrixOf(target), labels, mask }), expected, 1e-6);
    expectElementsClose(
      await train({ teacher: (x) => apply(x, teacherWeights), labels, mask }),
      expected,
      1e-6,
    );
    expect(await train({ teacher: target, mask })).not.toEqual(expected);
    expect(await train({ teacher: target, labels })).not.toEqual(expected);
    tf.disposeVariables();
  });

  test('a function may choose the samples of batches', async () => {
    const teacher = makeTeacher();
    const first = Int32Array.from({ length: 16 }, (_, i) => i);
    const batches = (epoch: number) => [first, epoch === 0 ? [16, 17] : [18, 18, 19]];
    const ofTensors = (samples: readonly number[]) => tf.gather(makeData(), [...samples]);
    const student = makeStudent();
    const optimizer = tf.train.sgd(0.5);
    for (const samples of [...batches(0), ...batches(1)]) {
      const data = ofTensors(Array.from(samples));
      const strategy = makeResponse();
      await distill(tf, { teacher, student, strategy, optimizer, data, epochs: 1, shuffle: false });
    }
    const actual = makeStudent();
    const [strategy, data] = [makeResponse(), makeData()];
    const run = { teacher, student: actual, strategy, optimizer, data, batches };
    await distill(tf, { ...run, epochs: 2 });
    expect(await weightsOf(actual)).toEqual(await weightsOf(student));
    tf.disposeVariables();
  });

  test('a validation has its own samples, labels, mask and teacher', async () => {
    const teacher = makeTeacher();
    const [train, other] = [makeData(), values([10, 6], 9)];
    const stored = teacher.predict(train) as tf.Tensor;
    const labels = Array.from({ length: 10 }, (_, i) => (i === 9 ? UNLABELED : i % CLASSES));
    const mask = labels.map((_, i) => (i < 2 ? 0 : 1));
    const student = makeStudent();
    const optimizer = tf.train.sgd(0.5);
    const run = { student, strategy: makeResponse(), optimizer, data: train, epochs: 1 };
    const validation = { data: other, teacher, labels, mask };
    const { history } = await distill(tf, { ...run, teacher: stored, validation, batchSize: 4 });
    const said = matrixOf(student.predict(other) as tf.Tensor);
    const taught = matrixOf(teacher.predict(other) as tf.Tensor);
    const best = (matrix: Matrix) => matrix.toRows().map((row) => row.indexOf(Math.max(...row)));
    const shareOf = (expected: readonly number[], rows: readonly number[]) =>
      rows.filter((row) => best(said)[row] === expected[row]).length / rows.length;
    expect(history.val_agreement![0]).toBeCloseTo(
      shareOf(best(taught), [2, 3, 4, 5, 6, 7, 8, 9]),
      12,
    );
    expect(history.val_accuracy![0]).toBeCloseTo(shareOf(labels, [2, 3, 4, 5, 6, 7, 8]), 12);
    // Batches of 4, 4 and 2 samples; the first batch has 2 kept samples.
    const lossOf = (start: number, end: number) =>
      makeResponse().computeLoss(
        Matrix.fromRows(said.toRows().slice(start, end)),
        Matrix.fromRows(taught.toRows().slice(start, end)),
        Int32Array.from(labels.slice(start, end)),
        { mask: mask.slice(start, end) },
      );
    const expected = (4 * lossOf(0, 4) + 4 * lossOf(4, 8) + 2 * lossOf(8, 10)) / 10;
    expect(history.val_loss![0]).toBeCloseTo(expected, 5);
    tf.disposeVariables();
  });
});

test('metrics exist for losses of classes, where both sides have the same classes', async () => {
  await tf.setBackend('cpu');
  const [teacher, data] = [makeTeacher(), makeData()];
  const namesOf = async (options: Partial<Options>) => {
    const student = makeStudent();
    const optimizer = tf.train.sgd(0.5);
    const run = { teacher, student, strategy: makeHybrid(), optimizer, data, epochs: 1 };
    const { history } = await distill(tf, { ...run, validation: { data }, ...options });
    return Object.keys(history).filter((name) => !name.includes('loss'));
  };
  const oneHot = Matrix.oneHot(LABELS, CLASSES);
  const soft = new Matrix(
    oneHot.data.map((value) => 0.6 * value + 0.1),
    SAMPLES,
    CLASSES,
  );
  expect(await namesOf({})).toEqual(['val_agreement']);
  expect(await namesOf({ validation: { data, labels: oneHot } })).toEqual([
    'val_agreement',
    'val_accuracy',
  ]);
  expect(await namesOf({ validation: { data, labels: soft } })).toEqual(['val_agreement']);
  const alone = { strategy: new CrossEntropyDistillationStrategy(), teacher: undefined };
  const labels = LABELS;
  expect(await namesOf({ ...alone, labels, validation: { data, labels } })).toEqual([
    'val_accuracy',
  ]);
  const feature = new FeatureDistillationStrategy();
  expect(await namesOf({ strategy: feature })).toEqual([]);
  const strategy = new HybridDistillationStrategy([
    { strategy: feature, weight: 0.5 },
    { strategy: feature, weight: 0.5 },
  ]);
  const student = makeStudent();
  const optimizer = tf.train.sgd(0.5);
  const { history } = await distill(tf, { teacher, student, strategy, optimizer, data, epochs: 1 });
  expect(Object.keys(history)).toEqual([
    'loss',
    'FeatureDistillationStrategy_loss',
    'FeatureDistillationStrategy_2_loss',
  ]);
  tf.disposeVariables();
});
