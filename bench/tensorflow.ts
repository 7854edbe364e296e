import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
// registers the gradients, which the Node build of tfjs-core lacks
import '@tensorflow/tfjs-layers';
import { ResponseDistillationStrategy } from 'knowledge-distillation';
import { distillationLoss } from 'knowledge-distillation/tfjs';
import { type Contestant, type Prepared, prepared } from './compete.js';
import { ALPHA, type Problem, TEMPERATURE } from './problem.js';
import { responseLoss } from './tensorflowLoss.js';

/** A loss of the student as a tensor with one element. */
type Loss = (student: tf.Tensor) => tf.Tensor;

interface Targets {
  readonly teacher: tf.Tensor;
  /** Class indices, int32. */
  readonly labels: tf.Tensor;
  readonly oneHot: tf.Tensor;
}

/**
 * TensorFlow.js on one of its backends, with automatic differentiation; the gradient is read back.
 */
export const tensorflow = (backend: 'wasm' | 'cpu'): Contestant<Problem> => ({
  name: `TensorFlow.js, ${backend}`,
  prepare: (problem) => prepareLoss(backend, problem, ofOperations, true),
});

/**
 * Contestants on the tensors of TensorFlow.js, where the gradient stays: this library's loss, and
 * the same loss made of operations.
 */
export const asLoss: readonly Contestant<Problem>[] = [
  {
    name: 'knowledge-distillation/tfjs',
    prepare: (problem) => prepareLoss('wasm', problem, ofLibrary, false),
  },
  {
    name: 'operations of TensorFlow.js',
    prepare: (problem) => prepareLoss('wasm', problem, ofOperations, false),
  },
];

async function prepareLoss(
  backend: 'wasm' | 'cpu',
  { student, teacher, labels, rows, columns, dtype }: Problem,
  lossOf: (targets: Targets) => Loss,
  readsGradient: boolean,
): Promise<Prepared | undefined> {
  if (dtype !== 'float32') return undefined; // TensorFlow.js has no float64
  await tf.setBackend(backend);
  const students = tf.tensor2d(Float32Array.from(student), [rows, columns]);
  const targets = tf.tidy(() => {
    const classes = tf.tensor1d(labels, 'int32');
    return {
      teacher: tf.tensor2d(Float32Array.from(teacher), [rows, columns]),
      labels: classes,
      oneHot: tf.cast(tf.oneHot(classes, columns), 'float32'),
    };
  });
  const differentiate = tf.valueAndGrad(lossOf(targets));
  const step = () =>
    tf.tidy(() => {
      const { value, grad } = differentiate(students);
      if (readsGradient) grad.dataSync();
      return value.dataSync()[0] ?? Number.NaN;
    });
  const { run, ...rest } = await prepared(step, () => tf.dispose([students, targets]));
  const runHere = async (repetitions: number) => {
    await tf.setBackend(backend);
    return run(repetitions);
  };
  return { ...rest, run: runHere };
}

function ofLibrary({ teacher, labels }: Targets): Loss {
  const strategy = new ResponseDistillationStrategy({ temperature: TEMPERATURE, alpha: ALPHA });
  const loss = distillationLoss(tf, strategy);
  return (student) => loss(student, teacher, labels);
}

function ofOperations({ teacher, oneHot }: Targets): Loss {
  return (student) => responseLoss(student, teacher, oneHot);
}
