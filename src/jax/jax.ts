import type { ByLayer } from '../tensors/evaluation.js';
import type { Tensor } from '../tensors/tensor.js';

/** The members of an array of jax-js that the library uses. */
export interface JaxArray extends Tensor {
  readonly device: string;
  readonly ref: this;
  readonly refCount: number;
  reshape(shape: number[]): this;
}

/** The outputs of a model: one array, or arrays by layer. */
export type Outputs<A extends JaxArray> = A | ByLayer<A>;

/**
 * @inline A `Float32Array` that is not a view on shared memory. TypeScript before 5.7 has no name
 * for this type.
 */
type OwnFloat32Array = ReturnType<Float32ArrayConstructor['of']>;

/** The functions of jax-js that the library uses. `A`, the type of its arrays, is inferred. */
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

/** @inline Maps d loss / d outputs to d loss / d params. */
interface Pull<A extends JaxArray> {
  (gradients: Outputs<A>): [unknown];
  dispose(): void;
}
