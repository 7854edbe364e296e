import type { ComponentLoss } from '../../call/batch.js';

/** Numbers by name, as callbacks of `model.fit` get them. */
export type Logs = Record<string, number>;

/** What came out of each epoch, in the form that `model.fit` gives. */
export interface DistillHistory {
  /** The epochs, which count from 0. */
  readonly epoch: readonly number[];
  /** For each name, its numbers epoch by epoch. */
  readonly history: Readonly<Record<string, readonly number[]>>;
}

/** @inline A mean so far. */
interface Mean {
  readonly mean: number;
  readonly weight: number;
}

/** Where a training stopped between two batches: plain data, from which another goes on. */
export interface DistillState {
  readonly epoch: number;
  /** How many batches of the epoch are done. */
  readonly batch: number;
  /** Their weighted means over the batches so far. */
  readonly means: Readonly<Record<string, Mean>>;
  /** The history of earlier epochs. */
  readonly history: DistillHistory;
}

/** Means of several numbers, weighted. */
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

  /** @param prefix - before each name: `val_` */
  logs(prefix = ''): Logs {
    return Object.fromEntries([...this.#means].map(([name, { mean }]) => [prefix + name, mean]));
  }
}

/** A history that is longer by an epoch. */
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

/** A loss and its components by name; equal names are numbered. */
export function logsOf(loss: number, components: readonly ComponentLoss[]): Logs {
  const logs: Logs = { loss };
  for (const component of components) {
    let name = `${component.name}_loss`;
    for (let i = 2; Object.hasOwn(logs, name); i++) name = `${component.name}_${i}_loss`;
    logs[name] = component.loss;
  }
  return logs;
}
