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
 * Longest time in milliseconds for which a training keeps the thread; a page that answers within it
 * feels immediate.
 */
const TURN = 50;

/** What a training consists of. */
interface Parts<T extends Tensor, D extends SampleTensors<T>> {
  readonly session: Learning<T, D>;
  readonly training: Source<T, D>;
  readonly validation: Source<T, D> | undefined;
  readonly plan: Plan;
  readonly callbacks: CallbackList;
  readonly signal: Signal | undefined;
  /** Where callbacks say that the training is to end. */
  readonly control: { stopTraining: boolean };
}

/** The course of a training, from one batch to the next. */
export class Loop<T extends Tensor, D extends SampleTensors<T>> {
  readonly #parts: Parts<T, D>;
  #history: DistillHistory;
  #epoch: number;
  /** How many batches of the epoch are done. */
  #batch: number;
  #means: Means;
  #turn: number = performance.now();

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

  /** The batches of the epoch that are not done yet. */
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

  /** Judges the student, and tells what came of the epoch. */
  async #finishEpoch(): Promise<void> {
    const { session, validation, plan, callbacks } = this.#parts;
    const judged = new Means();
    if (validation) {
      const { samples } = validation;
      for (const chosen of batchesOf(samples, plan.batchSize)(0)) {
        await this.#pause();
        await session.judge(validation, chosen, judged);
      }
    }
    await session.writeBack();
    const logs = { ...this.#means.logs(), ...judged.logs('val_') };
    const epoch = this.#epoch;
    this.#history = extend(this.#history, epoch, logs);
    this.#epoch = epoch + 1;
    this.#batch = 0;
    this.#means = new Means();
    await callbacks.call('onEpochEnd', epoch, logs);
  }

  /** Between two batches: lets others have the thread, and ends where the signal says so. */
  async #pause(): Promise<void> {
    const { session, callbacks, signal } = this.#parts;
    if (performance.now() - this.#turn > TURN) {
      await othersTurn();
      this.#turn = performance.now();
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

/** Throws where an epoch has no batches, or fewer than a state says that are done. */
function checkCount(epoch: number, count: number, done: number): void {
  if (count === 0) {
    refuse('EMPTY', 'distill', 'batches', 'give a batch', `none in epoch ${epoch}`);
  }
  if (count >= done) return;
  refuse('OUT_OF_RANGE', 'distill', 'resume.batch', `be at most ${count}, the batches`, `${done}`);
}

/** What browsers and Node share of a channel. */
interface Platform {
  readonly MessageChannel: new () => {
    readonly port1: { onmessage: unknown; close(): void };
    readonly port2: { postMessage(message: undefined): void };
  };
}

/**
 * Resolves after the events and timers that are due. A timer would do so, too, but browsers delay
 * those of a page in the background.
 */
function othersTurn(): Promise<void> {
  const { port1, port2 } = new (globalThis as unknown as Platform).MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
