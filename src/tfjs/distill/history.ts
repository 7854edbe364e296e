import type { ComponentLoss } from '../../call/batch.js';

/** Numbers by name, in the form that callbacks of `model.fit` get. */
export type Logs = Record<string, number>;

/** The results of each epoch, in the form that `model.fit` returns. */
export interface DistillHistory {
  /** The numbers of the epochs, which count from 0. */
  readonly epoch: readonly number[];
  /** For each name, one number for each epoch. */
  readonly history: Readonly<Record<string, readonly number[]>>;
}

/** @inline A weighted mean, with the sum of its weights. */
interface Mean {
  readonly mean: number;
  readonly weight: number;
}

/** The state of a training that was stopped between two batches, as plain data. */
export interface DistillState {
  /** The epoch in which the training was stopped. */
  readonly epoch: number;
  /** Number of batches of the epoch that are done. */
  readonly batch: number;
  /** The means over these batches, by name. */
  readonly means: Readonly<Record<string, Mean>>;
  /** The history of earlier epochs. */
  readonly history: DistillHistory;
}

/** Weighted means by name. */
export class Means {
  readonly #means: Map<string, Mean>;

  constructor(state: DistillState['means'] = {}) {
    this.#means = new Map(Object.entries(state));
  }

  add(name: string, value: number, weight: number): void {
    if (weight === 0) return;
    const before = this.#means.get(name) ?? { mean: 0, weight: 0 };
    const total = before.weight + weight;
    const mean = before.mean + (value - before.mean) * (weight / total);
    this.#means.set(name, { mean, weight: total });
  }

  state(): DistillState['means'] {
    return Object.fromEntries(this.#means);
  }

  /** Returns the means by name, with a prefix such as `val_` before each name. */
  logs(prefix = ''): Logs {
    return Object.fromEntries([...this.#means].map(([name, { mean }]) => [prefix + name, mean]));
  }
}

/** Returns the history with one more epoch. */
export function extend(
  { epoch, history }: DistillHistory,
  last: number,
  logs: Logs,
): DistillHistory {
  const names = [...new Set([...Object.keys(history), ...Object.keys(logs)])];
  return {
    epoch: [...epoch, last],
    history: Object.fromEntries(
      names.map((name) => [name, [...(history[name] ?? []), logs[name] ?? Number.NaN]]),
    ),
  };
}

/** Returns a loss and its components by name. Equal names get numbers. */
export function logsOf(loss: number, components: readonly ComponentLoss[]): Logs {
  const logs: Logs = { loss };
  for (const component of components) {
    let name = `${component.name}_loss`;
    for (let i = 2; Object.hasOwn(logs, name); i++) name = `${component.name}_${i}_loss`;
    logs[name] = component.loss;
  }
  return logs;
}
