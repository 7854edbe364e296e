import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import {
  CrossEntropyDistillationStrategy,
  DistillationError,
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  Matrix,
  SparseTargets,
  UNLABELED,
} from '../../../src/index.js';
import { type DistillOptions, distill } from '../../../src/tfjs/index.js';
import { wrong } from '../../support/refusal.js';
import {
  CLASSES,
  INPUTS,
  LABELS,
  makeData,
  makeHybrid,
  makeModel,
  makeResponse,
  makeStudent,
  makeTeacher,
  SAMPLES,
} from './models.js';

type Options = DistillOptions<tf.Tensor, tf.Variable, tf.Tensor>;

await tf.setBackend('cpu');

const [teacher, student] = [makeTeacher(), makeStudent()];
const options: Options = {
  teacher,
  student,
  strategy: makeResponse(),
  optimizer: tf.train.sgd(0.1),
  data: makeData(),
  epochs: 1,
};
const hiddenLayer = (layer: string | { student: string; teacher: string }) =>
  new HybridDistillationStrategy([
    { strategy: makeResponse(), weight: 0.5 },
    { strategy: new FeatureDistillationStrategy(), weight: 0.5, layer },
  ]);
const disposed = tf.zeros([SAMPLES, CLASSES]);
disposed.dispose();
const state = { epoch: 0, batch: 0, means: {}, history: { epoch: [], history: {} } };
const shared = () => {
  const input = tf.input({ shape: [INPUTS] });
  const twice = tf.layers.dense({ units: INPUTS, name: 'twice' });
  const once = twice.apply(input) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: twice.apply(once) as tf.SymbolicTensor });
};
const twoOutputs = () => {
  const input = tf.input({ shape: [INPUTS], name: 'pixels' });
  const outputs = ['first', 'second'].map(
    (name) => tf.layers.dense({ units: CLASSES, name }).apply(input) as tf.SymbolicTensor,
  );
  return tf.model({ inputs: input, outputs });
};

test.each<[string, Partial<Options>]>([
  [
    'unknown option "optimiser"; did you mean "optimizer"? Known options: data, teacher, labels, mask, student, variables, ' +
      'strategy, optimizer, epochs, batchSize, shuffle, seed, batches, layers, validation, callbacks, signal, initialEpoch, resume',
    wrong({ optimiser: 1 }),
  ],
  [
    "student must have a layer 'hiden', got output, hidden, logits; did you mean 'hidden'?",
    { strategy: hiddenLayer('hiden') },
  ],
  [
    "teacher must have a layer 'middle', got output, hidden, logits",
    { strategy: hiddenLayer({ student: 'hidden', teacher: 'middle' }) },
  ],
  [
    "student must have a layer 'lgits', got output, hidden, logits; did you mean 'logits'?",
    { layers: { student: { output: 'lgits' } } },
  ],
  [
    'unknown key of layers.student "hidden"; known keys: output',
    { layers: { student: { hidden: 'logits' } } },
  ],
  [
    'unknown key of layers "studnet"; did you mean "student"? Known keys: student, teacher',
    wrong({ layers: { studnet: {} } }),
  ],
  [
    'unknown key of layers.student.output "name"; known keys: layer, transform',
    { layers: { student: { output: wrong({ name: 'logits' }) } } },
  ],
  [
    'layers.teacher must come with a tf.LayersModel, got another teacher; ' +
      'what is no model gives its layers by the names that the strategy reads',
    { teacher: (x) => x, layers: { teacher: { output: 'logits' } } },
  ],
  [
    "teacher must have a layer 'hidden', got output",
    { strategy: hiddenLayer('hidden'), teacher: Matrix.zeros(SAMPLES, CLASSES) },
  ],
  [
    "teacher must have a layer 'hidden', got hiden, output; rename 'hiden' to 'hidden', or give the entry layer: { teacher: 'hiden', … }",
    { strategy: makeHybrid(), teacher: (x) => ({ hiden: x, output: x }) },
  ],
  [
    "student must have a layer 'hidden', got output",
    {
      strategy: makeHybrid(),
      student: (x: tf.Tensor) => x,
      variables: [tf.variable(tf.zeros([1]))],
    },
  ],
  [
    "student must have one output of the layer 'twice', got 2; pass a function (batch) => tensors by layer as the student",
    { student: shared(), strategy: hiddenLayer({ student: 'twice', teacher: 'hidden' }) },
  ],
  ["teacher must have a layer 'output', got pixels, first, second", { teacher: twoOutputs() }],
  ['student must have weights to train, got none', { student: frozen() }],
  ['variables must have weights to train, got none', { student: (x) => x, variables: [] }],
  [
    'variables must come with a function as student, got a model, which has its own; set trainable of its layers to choose',
    { variables: [] },
  ],
  [
    'teacher has shape [39, 4], expected [40, …] (one for each of the 40 samples)',
    { teacher: tf.zeros([39, CLASSES]) },
  ],
  [
    'teacher has shape [41, 4], expected [40, …] (one for each of the 40 samples); or a multiple, with the rows of each sample together',
    { teacher: Matrix.zeros(41, CLASSES) },
  ],
  [
    'teacher.output has shape [20, 4], expected [40, …] (one for each of the 40 samples); or a multiple, with the rows of each sample together',
    { teacher: { output: SparseTargets.topK(Matrix.zeros(20, CLASSES), 2) } },
  ],
  [
    'teacher has shape [4, 40], expected [40, …] (one for each of the 40 samples); is it transposed?',
    { teacher: tf.zeros([CLASSES, SAMPLES]) },
  ],
  [
    "data has shape [32, 6], expected [32, 8] (the teacher's input)",
    { teacher: tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [8] })] }) },
  ],
  [
    'labels must be class indices or distributions, got string; map each label to the index of its column, from 0',
    { labels: tf.fill([SAMPLES], 'cat') },
  ],
  [
    "labels must be int32 class indices, or a distribution for each row, got float32 of shape [32]; use tf.cast(labels, 'int32')",
    { labels: tf.zeros([SAMPLES]) },
  ],
  ['teacher must hold values, got a disposed tensor', { teacher: disposed }],
  ['data must hold values, got a disposed tensor', { data: disposed }],
  ['data must hold samples, got shape [0, 6]', { data: tf.zeros([0, INPUTS]) }],
  [
    'labels has shape [39], expected [40] (one for each of the 40 samples); for distributions, use a tensor or a matrix of [samples, classes]',
    { labels: LABELS.slice(1) },
  ],
  [
    'labels has shape [41], expected [40] (one for each of the 40 samples)',
    { labels: tf.zeros([41], 'int32') },
  ],
  [
    'mask has shape [39], expected [40] (one for each of the 40 samples); use a tensor where a sample has several',
    { mask: LABELS.slice(1) },
  ],
  [
    'mask.output has shape [39], expected [40] (one for each of the 40 samples)',
    { mask: { output: tf.ones([39]) } },
  ],
  [
    'validation.labels has shape [1], expected [40] (one for each of the 40 samples); for distributions, use a tensor or a matrix of [samples, classes]',
    { validation: { data: makeData(), labels: [1] } },
  ],
  ['epochs must be an integer ≥ 1, got 0', { epochs: 0 }],
  ['epochs must be an integer ≥ 1, got 1.5', { epochs: 1.5 }],
  ['batchSize must be an integer ≥ 1, got 0', { batchSize: 0 }],
  ['seed must be an integer, got 0.5', { seed: 0.5 }],
  ['initialEpoch must be an integer in [0, 1], the epochs, got 2', { initialEpoch: 2 }],
  [
    'initialEpoch must come without resume, got 1 with a state of epoch 0',
    { initialEpoch: 1, resume: state },
  ],
  [
    'resume.epoch must be an integer in [0, 1], the epochs, got 2',
    { resume: { ...state, epoch: 2 } },
  ],
  ['resume.batch must be an integer ≥ 0, got -1', { resume: { ...state, batch: -1 } }],
  ['resume.batch must be at most 2, the batches, got 3', { resume: { ...state, batch: 3 } }],
  ['shuffle must come without batches, got true', { shuffle: true, batches: () => [[0]] }],
  ['batches must be an integer in [0, 40), got 40', { batches: () => [[40]] }],
  ['batches must hold samples, got an empty batch', { batches: () => [[]] }],
  ['batches must give a batch, got none in epoch 0', { batches: () => [] }],
  ["data must have the model's input 'hidden_input', got x", wrong({ data: { x: makeData() } })],
])('%s', async (message, changed) => {
  const before = tf.memory().numTensors;
  const call = distill(tf, { ...options, ...changed });
  const error = await call.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DistillationError);
  expect((error as Error).message).toBe(`distill: ${message}`);
  expect(tf.memory().numTensors).toBe(before);
});

test.each<[string, Partial<Options>]>([
  ['optimizer must be an optimizer, got "adam"; use tf.train.adam()', wrong({ optimizer: 'adam' })],
  [
    'student must be a tf.LayersModel, or a function of a batch, got undefined',
    wrong({ student: undefined }),
  ],
  [
    'variables must be an array of variables, got undefined; they are what a student that is a function learns',
    { student: (x) => x },
  ],
  [
    'teacher must be a tf.LayersModel, a function of a batch, or stored outputs, got undefined; only CrossEntropyDistillationStrategy needs none',
    { teacher: undefined, labels: LABELS },
  ],
  [
    'teacher must be a tf.LayersModel, a function of a batch, or stored outputs, got an array; make a tensor of it',
    wrong({ teacher: LABELS.map(() => [1, 2, 3, 4]) }),
  ],
  [
    'validation must be an object, got an array; write { data, labels }',
    wrong({ validation: [makeData(), LABELS] }),
  ],
  [
    'teacher must be a tf.LayersModel, a function of a batch, or stored outputs, got an object; ' +
      'pass (batch) => model.predict(batch)',
    wrong({ teacher: { predict: () => makeData() } }),
  ],
  [
    'teacher must be a tf.LayersModel, a function of a batch, or stored outputs, got an array',
    wrong({ teacher: () => [makeData()] }),
  ],
  [
    'student must be a tensor or tensors by layer, got an array',
    { student: wrong((x: tf.Tensor) => [x]), variables: [tf.variable(tf.zeros([1]))] },
  ],
  [
    'data must be a tensor, or tensors in a list or by name, got an object of type Float32Array; use tf.tensor',
    wrong({ data: new Float32Array(3) }),
  ],
  [
    'data must be a tensor, or tensors in a list or by name, got undefined; use tf.tensor',
    wrong({ data: undefined }),
  ],
  ['data[1] must be a tensor, got undefined', wrong({ data: [makeData(), undefined] })],
  [
    'labels[0] must be an integer, got "0"; use Int32Array.from(labels, Number)',
    wrong({ labels: LABELS.map(String) }),
  ],
  [
    'labels[0] must be an integer, got "cat"; map each label to the index of its column, from 0',
    wrong({ labels: LABELS.map(() => 'cat') }),
  ],
  [
    'labels[39] must be an integer, got null; use UNLABELED for null',
    wrong({ labels: [...LABELS.slice(1), null] }),
  ],
  ['labels[1] must be an integer, got 0.5', { labels: [0, 0.5, ...LABELS.slice(2)] }],
  [
    'labels[0] must be an integer, got an array; use Matrix.fromRows(labels)',
    wrong({ labels: LABELS.map(() => [0, 1]) }),
  ],
  [
    'labels must be class indices in an array or a tensor, or distributions in a tensor or a matrix, got 3',
    wrong({ labels: 3 }),
  ],
  ['mask must hold 0 or 1 for each sample, got 3', wrong({ mask: 3 })],
  ['epochs must be an integer ≥ 1, got undefined', wrong({ epochs: undefined })],
  ['shuffle must be true or false, got "batch"', wrong({ shuffle: 'batch' })],
  [
    'signal must be an AbortSignal, got an object of type AbortController',
    wrong({ signal: new AbortController() }),
  ],
  ['batches must be a function of the epoch, got an array', wrong({ batches: [[0]] })],
  ['batches must give an array of samples for each batch, got 0', wrong({ batches: () => [0, 1] })],
  ['callbacks must be an object of functions, or several, got 3', wrong({ callbacks: 3 })],
  ['callbacks.onEpochEnd must be a function, got 3', wrong({ callbacks: { onEpochEnd: 3 } })],
  [
    'validation.teacher must be there, as the teacher of the training only answers for its own samples, got undefined',
    { teacher: tf.zeros([SAMPLES, CLASSES]), validation: { data: makeData() } },
  ],
  [
    'strategy must have computeLoss and computeGradient, got undefined',
    wrong({ strategy: undefined }),
  ],
  [
    'layers.student.output.layer must be a name, got 3',
    { layers: { student: { output: wrong({ layer: 3 }) } } },
  ],
  [
    'layers.student.output.transform must be a function of a tensor, got undefined',
    { layers: { student: { output: wrong({ layer: 'logits' }) } } },
  ],
])('refuses with a TypeError: %s', async (message, changed) => {
  const before = tf.memory().numTensors;
  const error = await distill(tf, { ...options, ...changed }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TypeError);
  expect((error as Error).message).toBe(`distill: ${message}`);
  expect(tf.memory().numTensors).toBe(before);
});

test('a batch that the strategy refuses is reported with the names of its layers', async () => {
  const integers = {
    student: (x: tf.Tensor) => tf.cast(x, 'int32'),
    variables: [tf.variable(tf.zeros([1]))],
  };
  await expect(distill(tf, { ...options, ...integers })).rejects.toThrow(
    "distill: student must be float32, got int32; use tf.cast(student, 'float32')",
  );
  await expect(distill(tf, { ...options, labels: LABELS.map(() => 9) })).rejects.toThrow(
    'labels row 0 must be a class in [0, 4), UNLABELED (-1) or IGNORE_INDEX (-100), got 9',
  );
  const baseline = { teacher: undefined, strategy: new CrossEntropyDistillationStrategy() };
  const given = LABELS.map((label, i) => (i === 5 ? UNLABELED : label));
  const batches = () => [[3, 5, 8]];
  for (const labels of [given, tf.tensor1d(given, 'int32')]) {
    const call = distill(tf, { ...options, ...baseline, labels, batches });
    await expect(call).rejects.toThrow(
      'labels row 1 must be there for every row, got UNLABELED (-1); ' +
        'exclude rows without a label by IGNORE_INDEX or a mask; row 1 is of the batch, sample 5',
    );
  }
  const infinite = tf.tensor2d(LABELS.map((_, i) => [i === 8 ? Number.NaN : 0, 0, 0, 0]));
  await expect(distill(tf, { ...options, teacher: infinite, batches })).rejects.toThrow(
    'teacher row 2, column 0 is NaN; row 2 is of the batch, not of the data',
  );
  await expect(distill(tf, { ...options, teacher: tf.zeros([SAMPLES, 3]) })).rejects.toThrow(
    "teacher has shape [32, 3], expected [32, 4] (the student's shape)",
  );
});

test('the first argument is TensorFlow.js', async () => {
  await expect(Reflect.apply(distill, undefined, [options])).rejects.toThrow(
    'distill: options must be an object, got undefined; the first argument is tf',
  );
});

test('layers need the function that makes models; outputs do not', async () => {
  const { model, ...core } = tf;
  expect(model).toBeDefined();
  await expect(distill(core, { ...options, strategy: makeHybrid() })).rejects.toThrow(
    "distill: tf must have tf.model, to read layers, got none; import * as tf from '@tensorflow/tfjs', or pass { ...core, ...layers }",
  );
  await expect(distill(core, options)).resolves.toHaveProperty('epoch', [0]);
  await expect(distill(wrong<typeof tf>({}), options)).rejects.toThrow(
    'distill: tf must be TensorFlow.js',
  );
});

function frozen(): tf.LayersModel {
  const model = makeModel(3, 1);
  model.trainable = false;
  return model;
}
