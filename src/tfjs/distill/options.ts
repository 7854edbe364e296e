import type { IDistillationStrategy } from '../../call/options.js';
import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkOptions,
  refuse,
  throwType,
} from '../../core/errors.js';
import type { ByLayer } from '../../tensors/evaluation.js';
import type { Optimizer, Tensor } from '../tensorflow.js';
import type { DistillCallbacks } from './callbacks.js';
import type { DistillState } from './history.js';
import type { LayerView } from './layers.js';
import { type Batches, batchesOf } from './order.js';
import type { SampleTensors } from './rows.js';
import type { SampleOptions } from './source.js';
import type { StudentOptions } from './student.js';
import { isAskable } from './teacher.js';

/** What tells a training to stop: an `AbortSignal`. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
}

/** Samples that a student is judged by after each epoch. */
export interface ValidationOptions<T extends Tensor, D extends SampleTensors<T>>
  extends Omit<SampleOptions<T, D>, 'teacher'> {
  /** The teacher of the training if left out; required where that is not a model or a function. */
  readonly teacher?: SampleOptions<T, D>['teacher'] | undefined;
}

/** Options of {@link distill}. */
export interface DistillOptions<T extends Tensor, V extends T, D extends SampleTensors<T>>
  extends SampleOptions<T, D>,
    StudentOptions<T, V, D> {
  readonly strategy: IDistillationStrategy;
  readonly optimizer: Optimizer<T>;
  readonly epochs: number;
  readonly batchSize?: number | undefined;
  readonly shuffle?: boolean | undefined;
  readonly seed?: number | undefined;
  readonly batches?: Batches | undefined;
  readonly layers?:
    | {
        readonly student?: ByLayer<LayerView<T>> | undefined;
        readonly teacher?: ByLayer<LayerView<T>> | undefined;
      }
    | undefined;
  readonly validation?: ValidationOptions<T, D> | undefined;
  readonly callbacks?: DistillCallbacks | readonly DistillCallbacks[] | undefined;
  readonly signal?: Signal | undefined;
  readonly initialEpoch?: number | undefined;
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

/** How a training runs, checked. */
export interface Plan {
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly start: DistillState;
  batchesOf(samples: number): Batches;
}

/** Checks what is said of the run itself. */
export function planOf<T extends Tensor, V extends T, D extends SampleTensors<T>>(
  operation: string,
  options: DistillOptions<T, V, D>,
): Plan {
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

function checkValidation<T extends Tensor, V extends T, D extends SampleTensors<T>>(
  operation: string,
  { validation, teacher }: DistillOptions<T, V, D>,
): void {
  if (validation === undefined) return;
  checkOptions(operation, 'validation', validation, SAMPLE_OPTIONS);
  if (validation.teacher !== undefined || isAskable(teacher)) return;
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
