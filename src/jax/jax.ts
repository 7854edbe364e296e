import type { ByLayer } from '../tensors/evaluation.js';
import type { Tensor } from '../tensors/tensor.js';

/** What is used of an array of jax-js. */
export interface JaxArray extends Tensor {
  readonly device: string;
  readonly ref: this;
  readonly refCount: number;
  reshape(shape: number[]): this;
}

/** What a model puts out: one array, or arrays by layer. */
export type Outputs<A extends JaxArray> = A | ByLayer<A>;

/**
 * @inline A `Float32Array` that is no view on shared memory, which TypeScript before 5.7 cannot say
 * by name.
 */
type OwnFloat32Array = ReturnType<Float32ArrayConstructor['of']>;

/** What is used of jax-js; `A` is its array, and is read off the `jax` that is passed. */
export interface Jax<A extends JaxArray> {
  readonly numpy: {
    array(values: OwnFloat32Array, options: OnDevice<NoInfer<A>>): A;
    zeros(shape: number[], options: OnDevice<NoInfer<A>>): NoInfer<A>;
  };
  vjp(
    compute: (params: unknown) => Outputs<NoInfer<A>>,
    params: [unknown],
  ): [outputs: Outputs<NoInfer<A>>, pull: Pull<NoInfer<A>>];
}

/** @inline */
interface OnDevice<A extends JaxArray> {
  readonly dtype?: A['dtype'];
  readonly shape?: number[];
  readonly device: A['device'];
}

/** @inline From d loss / d outputs to d loss / d params. */
interface Pull<A extends JaxArray> {
  (gradients: Outputs<A>): [unknown];
  dispose(): void;
}
