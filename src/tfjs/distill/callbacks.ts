import { checkOptions, throwType } from '../../core/errors.js';
import { typeTag } from '../../core/numeric.js';
import type { DistillState, Logs } from './history.js';

/**
 * What is called while a student is trained, in the form that `model.fit` takes: its own callbacks,
 * such as `tf.callbacks.earlyStopping`, do. Promises are awaited; what a callback throws ends the
 * training.
 */
export interface DistillCallbacks {
  onTrainBegin?(): unknown;
  onEpochBegin?(epoch: number): unknown;
  onBatchBegin?(batch: number, logs: Logs): unknown;
  /** `batch`, `size`, the loss of the batch and its components. */
  onBatchEnd?(batch: number, logs: Logs): unknown;
  /** The means of the epoch, and those of the validation with `val_` before their names. */
  onEpochEnd?(epoch: number, logs: Logs): unknown;
  onTrainEnd?(): unknown;
  /** The signal was aborted, and the batch under way is done. From this state `resume` goes on. */
  onAbort?(state: DistillState): unknown;
}

type CallbackName = keyof DistillCallbacks;

const NAMES: readonly CallbackName[] = [
  'onTrainBegin',
  'onEpochBegin',
  'onBatchBegin',
  'onBatchEnd',
  'onEpochEnd',
  'onTrainEnd',
  'onAbort',
];

/** Several callbacks as one. */
export class CallbackList {
  readonly #callbacks: readonly DistillCallbacks[];

  constructor(
    operation: string,
    callbacks: DistillCallbacks | readonly DistillCallbacks[],
    student: unknown,
  ) {
    this.#callbacks = [callbacks].flat();
    for (const callback of this.#callbacks) {
      if (isCallback(callback)) callback.setModel(student);
      else checkCallbacks(operation, callback);
    }
  }

  /** Calls one after the other. */
  async call<N extends CallbackName>(
    name: N,
    ...args: Parameters<Required<DistillCallbacks>[N]>
  ): Promise<void> {
    for (const callback of this.#callbacks) {
      const call = callback[name] as ((...args: unknown[]) => unknown) | undefined;
      await call?.apply(callback, args);
    }
  }
}

/** Whether it is one of the callback objects of TensorFlow.js, which are told their model. */
function isCallback(value: unknown): value is { setModel(model: unknown): void } {
  return typeof value === 'object' && value !== null && 'setModel' in value;
}

function checkCallbacks(operation: string, callbacks: DistillCallbacks): void {
  if (typeTag(callbacks) !== 'Object') {
    throwType(operation, 'callbacks', 'be an object of functions, or several', callbacks);
  }
  checkOptions(operation, 'callbacks', callbacks, NAMES);
  for (const name of NAMES) {
    const call: unknown = callbacks[name];
    if (call === undefined || typeof call === 'function') continue;
    throwType(operation, `callbacks.${name}`, 'be a function', call);
  }
}
