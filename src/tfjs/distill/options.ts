import type { IDistillationStrategy } from '../../call/options.js';
import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkOptions,
  refuse,
  throwType,
} from '../../core/errors.js';
import { Matrix } from '../../core/matrix.js';
import type { ByLayer } from '../../tensors/evaluation.js';
import type { Optimizer, Tensor } from '../tensorflow.js';
import type { DistillCallbacks } from './callbacks.js';
import type { DistillState } from './history.js';
import type { LayerView } from './layers.js';
import { type Batches, batchesOf } from './order.js';
import type { SampleTensors } from './rows.js';
import type { SampleOptions } from './source.js';
import type { StudentOptions } from './student.js';
import { isComputed, TEACHER } from './teacher.js';

/** The part of an `AbortSignal` that a training reads. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
}

/** Samples on which the student is evaluated after each epoch. */
export interface ValidationOptions<T extends Tensor, D extends SampleTensors<T>>
  extends Omit<SampleOptions<T, D>, 'teacher'> {
  /**
   * The teacher of the validation. It is required if the teacher of the training is stored outputs.
   *
   * @defaultValue the teacher of the training
   */
  readonly teacher?: SampleOptions<T, D>['teacher'] | undefined;
}

/** Options of {@link distill}. */
export interface DistillOptions<T extends Tensor, V extends T, D extends SampleTensors<T>>
  extends SampleOptions<T, D>,
    StudentOptions<T, V, D> {
  /**
   * Any strategy. A hybrid names the layers of the models; `'output'` is the output of a model.
   */
  readonly strategy: IDistillationStrategy;
  /**
   * An optimizer of TensorFlow.js, such as `tf.train.adam()`, or one of your own. Its state belongs
   * to the weights of one student and one strategy: pass the same optimizer to resume.
   */
  readonly optimizer: Optimizer<T>;
  /**
   * The number of epochs at the end of the training, an integer ≥ 1: with `initialEpoch: 3` and
   * `epochs: 5`, two epochs are trained.
   */
  readonly epochs: number;
  /**
   * Number of samples in a batch, an integer ≥ 1. The last batch of an epoch may have fewer.
   *
   * @defaultValue 32
   */
  readonly batchSize?: number | undefined;
  /**
   * Whether the samples are shuffled, in another order for each epoch.
   *
   * @defaultValue true
   */
  readonly shuffle?: boolean | undefined;
  /**
   * Seed of the order of the samples and of all random numbers, such as dropout; an integer.
   *
   * @defaultValue 0
   */
  readonly seed?: number | undefined;
  /**
   * Returns the indices of the samples in each batch of an epoch.
   *
   * @defaultValue all samples, in batches of `batchSize`
   */
  readonly batches?: Batches | undefined;
  /**
   * Replaces layers that the strategy reads by other layers or by functions of their outputs:
   * `{ student: { maps: (output) => … } }`.
   *
   * @defaultValue the layers of the names that the strategy reads
   */
  readonly layers?:
    | {
        readonly student?: ByLayer<LayerView<T>> | undefined;
        readonly teacher?: ByLayer<LayerView<T>> | undefined;
      }
    | undefined;
  /**
   * Samples on which the student is evaluated after each epoch.
   *
   * @defaultValue no validation
   */
  readonly validation?: ValidationOptions<T, D> | undefined;
  /** Functions by name, callbacks of TensorFlow.js, or a list of these, as in `model.fit`. */
  readonly callbacks?: DistillCallbacks | readonly DistillCallbacks[] | undefined;
  /**
   * An `AbortSignal`. Once it is aborted, the training ends after the batch under way, and the
   * promise rejects with its reason.
   */
  readonly signal?: Signal | undefined;
  /**
   * The epoch that the training begins with, an integer in [0, epochs].
   *
   * @defaultValue 0
   */
  readonly initialEpoch?: number | undefined;
  /**
   * The state from `onAbort`, from which the training continues.
   *
   * @defaultValue a training from the start
   */
  readonly resume?: DistillState | undefined;
}

const SAMPLE_OPTIONS = ['data', 'teacher', 'labels', 'mask'];
const OPTIONS = [
  ...SAMPLE_OPTIONS,
  'student',
  'variables',
  'strategy',
  'optimizer',
  'epochs',
  'batchSize',
  'shuffle',
  'seed',
  'batches',
  'layers',
  'validation',
  'callbacks',
  'signal',
  'initialEpoch',
  'resume',
];

/** The checked options of the course of a training. */
export interface Plan {
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly start: DistillState;
  batchesOf(samples: number): Batches;
}

/** Checks the options of the course of a training. */
export function planOf<T extends Tensor, V extends T, D extends SampleTensors<T>>(
  operation: string,
  options: DistillOptions<T, V, D>,
): Plan {
  if (options === undefined) {
    throwType(operation, 'options', 'be an object', options, 'the first argument is tf');
  }
  checkOptions(operation, 'options', options, OPTIONS);
  const { optimizer, batchSize = 32, shuffle = true, seed = 0, batches, signal } = options;
  if (typeof optimizer?.applyGradients !== 'function') {
    throwType(operation, 'optimizer', 'be an optimizer', optimizer, 'use tf.train.adam()');
  }
  if (signal !== undefined && typeof signal?.aborted !== 'boolean') {
    throwType(operation, 'signal', 'be an AbortSignal', signal);
  }
  checkNumber(operation, 'seed', seed, 'be an integer', Number.isSafeInteger);
  checkInteger(operation, 'batchSize', batchSize, 1);
  checkBoolean(operation, 'shuffle', shuffle);
  if (batches !== undefined) {
    if (typeof batches !== 'function') {
      throwType(operation, 'batches', 'be a function of the epoch', batches);
    }
    for (const name of ['batchSize', 'shuffle'] as const) {
      if (options[name] === undefined) continue;
      refuse('MISPLACED_OPTION', operation, name, 'come without batches', String(options[name]));
    }
  }
  if (options.teacher === undefined) checkNeedsNoTeacher(operation, options.strategy);
  checkValidation(operation, options);
  const epochs = checkInteger(operation, 'epochs', options.epochs, 1);
  return {
    epochs,
    batchSize,
    seed,
    start: startOf(operation, options, epochs),
    batchesOf: (samples) => batches ?? batchesOf(samples, batchSize, shuffle ? seed : undefined),
  };
}

/**
 * Throws unless a strategy computes a loss without a teacher. A loss of one row is tried, because
 * only the strategy knows.
 */
function checkNeedsNoTeacher(operation: string, strategy: IDistillationStrategy): void {
  try {
    strategy.computeLoss(Matrix.zeros(1, 2), undefined as never, Int32Array.of(0));
  } catch {
    const hint = 'only CrossEntropyDistillationStrategy needs none';
    throwType(operation, 'teacher', TEACHER, undefined, hint);
  }
}

function checkValidation<T extends Tensor, V extends T, D extends SampleTensors<T>>(
  operation: string,
  { validation, teacher }: DistillOptions<T, V, D>,
): void {
  if (validation === undefined) return;
  if (Array.isArray(validation)) {
    throwType(operation, 'validation', 'be an object', validation, 'write { data, labels }');
  }
  checkOptions(operation, 'validation', validation, SAMPLE_OPTIONS);
  if (validation.teacher !== undefined || teacher === undefined || isComputed(teacher)) return;
  const expected = 'be there, as the teacher of the training only answers for its own samples';
  throwType(operation, 'validation.teacher', expected, validation.teacher);
}

const NEW: DistillState = { epoch: 0, batch: 0, means: {}, history: { epoch: [], history: {} } };

function startOf<T extends Tensor, V extends T, D extends SampleTensors<T>>(
  operation: string,
  { initialEpoch, resume }: DistillOptions<T, V, D>,
  epochs: number,
): DistillState {
  const inRange = (epoch: number) => Number.isInteger(epoch) && epoch >= 0 && epoch <= epochs;
  const expected = `be an integer in [0, ${epochs}], the epochs`;
  if (resume === undefined) {
    const epoch = checkNumber(operation, 'initialEpoch', initialEpoch ?? 0, expected, inRange);
    return { ...NEW, epoch };
  }
  if (initialEpoch !== undefined) {
    const received = `${initialEpoch} with a state of epoch ${resume?.epoch}`;
    refuse('MISPLACED_OPTION', operation, 'initialEpoch', 'come without resume', received);
  }
  checkOptions(operation, 'resume', resume, Object.keys(NEW));
  const { epoch, batch, means, history } = resume;
  checkNumber(operation, 'resume.epoch', epoch, expected, inRange);
  checkInteger(operation, 'resume.batch', batch, 0);
  checkOptions(operation, 'resume.means', means);
  checkOptions(operation, 'resume.history', history, Object.keys(NEW.history));
  return resume;
}
