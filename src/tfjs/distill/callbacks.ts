import { checkOptions, throwType } from '../../core/errors.js';
import { typeTag } from '../../core/numeric.js';
import type { DistillState, Logs } from './history.js';

/**
 * Functions that a training calls, in the form that `model.fit` takes. Callbacks of TensorFlow.js,
 * such as `tf.callbacks.earlyStopping`, work, too. Promises are awaited. An error that a callback
 * throws ends the training.
 */
export interface DistillCallbacks {
  onTrainBegin?(): unknown;
  onEpochBegin?(epoch: number): unknown;
  onBatchBegin?(batch: number, logs: Logs): unknown;
  /** `logs` has `batch`, `size`, and the loss of the batch and of its components. */
  onBatchEnd?(batch: number, logs: Logs): unknown;
  /** `logs` has the means of the epoch, and the means of the validation with the prefix `val_`. */
  onEpochEnd?(epoch: number, logs: Logs): unknown;
  onTrainEnd?(): unknown;
  /**
   * Called when `signal` was aborted, after the batch under way. The option `resume` continues from
   * this state.
   */
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

  /** Calls the callbacks one after the other. */
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

/** Whether a value is a callback object of TensorFlow.js, which must be given the model. */
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
