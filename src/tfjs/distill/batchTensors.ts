import type { Tensor } from '../tensorflow.js';

/** The tensors of one batch, which are disposed together. */
export class BatchTensors<T extends Tensor> {
  readonly #tensors: T[] = [];

  add(tensor: T): T {
    this.#tensors.push(tensor);
    return tensor;
  }

  dispose(): void {
    for (const tensor of this.#tensors) tensor.dispose();
  }
}
