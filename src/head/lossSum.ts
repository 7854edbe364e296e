import type { ComponentLoss } from '../call/batch.js';
import type { CountedLoss } from '../call/options.js';

/** Sums the losses of chunks, and the losses of the entries of a hybrid. */
export class LossSum {
  #loss = 0;
  #components: readonly ComponentLoss[] = [];

  add({ loss, components = [] }: CountedLoss): void {
    this.#loss += loss;
    this.#components = components.map((component, i) => {
      const before = this.#components[i];
      if (!before) return component;
      return {
        ...component,
        loss: before.loss + component.loss,
        weighted: before.weighted + component.weighted,
        count: before.count + component.count,
      };
    });
  }

  result(): { readonly loss: number; readonly components?: readonly ComponentLoss[] | undefined } {
    const loss = this.#loss;
    return this.#components.length === 0 ? { loss } : { loss, components: this.#components };
  }
}
