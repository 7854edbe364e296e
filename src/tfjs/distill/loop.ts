import { refuse } from '../../core/errors.js';
import type { Tensor } from '../tensorflow.js';
import type { CallbackList } from './callbacks.js';
import { type DistillHistory, type DistillState, extend, Means } from './history.js';
import type { Plan, Signal } from './options.js';
import { batchesOf, checkBatch } from './order.js';
import type { SampleTensors } from './rows.js';
import type { Learning } from './session.js';
import type { Source } from './source.js';

/**
 * Longest time in milliseconds for which a training blocks the thread. A page that responds within
 * this time feels immediate.
 */
const LONGEST_BLOCK = 50;

/** The parts of a training. */
interface Parts<T extends Tensor, D extends SampleTensors<T>> {
  readonly session: Learning<T, D>;
  readonly training: Source<T, D>;
  readonly validation: Source<T, D> | undefined;
  readonly plan: Plan;
  readonly callbacks: CallbackList;
  readonly signal: Signal | undefined;
  /** The object on which callbacks set `stopTraining` to end the training. */
  readonly control: { stopTraining: boolean };
}

/** Runs a training, epoch by epoch and batch by batch. */
export class Loop<T extends Tensor, D extends SampleTensors<T>> {
  readonly #parts: Parts<T, D>;
  #history: DistillHistory;
  #epoch: number;
  /** Number of batches of the epoch that are done. */
  #batch: number;
  #means: Means;
  #lastYield: number = performance.now();

  constructor(parts: Parts<T, D>) {
    const { start } = parts.plan;
    this.#parts = parts;
    this.#history = start.history;
    this.#epoch = start.epoch;
    this.#batch = start.batch;
    this.#means = new Means(start.means);
  }

  async run(): Promise<DistillHistory> {
    const { plan, callbacks, control } = this.#parts;
    control.stopTraining = false;
    await callbacks.call('onTrainBegin');
    while (this.#epoch < plan.epochs && !control.stopTraining) {
      await callbacks.call('onEpochBegin', this.#epoch);
      await this.#train();
      await this.#finishEpoch();
    }
    await callbacks.call('onTrainEnd');
    return this.#history;
  }

  /** Trains on the batches of the epoch that are not done yet. */
  async #train(): Promise<void> {
    const { session, training, plan, callbacks, control } = this.#parts;
    const { samples } = training;
    const epoch = this.#epoch;
    let count = 0;
    for (const given of plan.batchesOf(samples)(epoch)) {
      const batch = count;
      count++;
      if (batch < this.#batch) continue;
      const chosen = checkBatch('distill', given, samples);
      const size = chosen.length;
      await this.#pause();
      await callbacks.call('onBatchBegin', batch, { batch, size });
      const logs = await session.step(training, chosen, [epoch, batch]);
      for (const [name, value] of Object.entries(logs)) this.#means.add(name, value, size);
      this.#batch = count;
      await callbacks.call('onBatchEnd', batch, { batch, size, ...logs });
      if (control.stopTraining) return;
    }
    checkCount(epoch, count, this.#batch);
  }

  /** Evaluates the student on the validation samples, and reports the results of the epoch. */
  async #finishEpoch(): Promise<void> {
    const { session, validation, plan, callbacks } = this.#parts;
    const validated = new Means();
    if (validation) {
      const { samples } = validation;
      for (const chosen of batchesOf(samples, plan.batchSize)(0)) {
        await this.#pause();
        await session.validate(validation, chosen, validated);
      }
    }
    await session.writeBack();
    const logs = { ...this.#means.logs(), ...validated.logs('val_') };
    const epoch = this.#epoch;
    this.#history = extend(this.#history, epoch, logs);
    this.#epoch = epoch + 1;
    this.#batch = 0;
    this.#means = new Means();
    await callbacks.call('onEpochEnd', epoch, logs);
  }

  /** Yields the thread between two batches if necessary, and ends the training on abort. */
  async #pause(): Promise<void> {
    const { session, callbacks, signal } = this.#parts;
    if (performance.now() - this.#lastYield > LONGEST_BLOCK) {
      await yieldThread();
      this.#lastYield = performance.now();
    }
    if (!signal?.aborted) return;
    await session.writeBack();
    await callbacks.call('onAbort', this.#state());
    throw signal.reason;
  }

  #state(): DistillState {
    const [epoch, batch, history] = [this.#epoch, this.#batch, this.#history];
    return { epoch, batch, means: this.#means.state(), history };
  }
}

/** Throws if an epoch has no batches, or fewer batches than the state to resume has done. */
function checkCount(epoch: number, count: number, done: number): void {
  if (count === 0) {
    refuse('EMPTY', 'distill', 'batches', 'give a batch', `none in epoch ${epoch}`);
  }
  if (count >= done) return;
  refuse('OUT_OF_RANGE', 'distill', 'resume.batch', `be at most ${count}, the batches`, `${done}`);
}

/** The part of MessageChannel that browsers and Node have in common. */
interface Platform {
  readonly MessageChannel: new () => {
    readonly port1: { onmessage: unknown; close(): void };
    readonly port2: { postMessage(message: undefined): void };
  };
}

/**
 * Resolves after the events and timers that are due. A message is used instead of a timer, because
 * browsers delay the timers of a page in the background.
 */
function yieldThread(): Promise<void> {
  const { port1, port2 } = new (globalThis as unknown as Platform).MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
