import type { ComponentLoss } from '../call/batch.js';
import type { IDistillationStrategy } from '../call/options.js';
import { throwType } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { typeTag } from '../core/numeric.js';
import type { HybridDistillationStrategy } from '../strategies/hybrid/hybrid.js';
import { checkStrategy } from '../strategies/hybrid/weights.js';
import {
  type ByLayer,
  type Call,
  evaluation,
  type LayerwiseCall,
  type Rest,
} from '../tensors/evaluation.js';
import { isTensor } from '../tensors/tensor.js';
import { JaxInputs } from './inputs.js';
import type { Jax, JaxArray, Outputs } from './jax.js';

/** A loss, and what comes of it for the parameters. */
export interface ValueAndGrad<P> {
  readonly loss: number;
  /** d loss / d params: arrays in the structure of the params, yours to dispose. */
  readonly gradient: P;
  /** The parts of a hybrid's loss; they sum to it. */
  readonly components: readonly ComponentLoss[];
}

/**
 * A loss of what a function puts out, with its gradient with respect to the function's parameters.
 */
export type DistillationValueAndGrad<A extends JaxArray> = <P>(
  forward: (params: P) => A,
  params: P,
  ...rest: Rest<Call<A>>
) => Promise<ValueAndGrad<P>>;

/** The same for a hybrid, also of outputs by layer. */
export interface LayerwiseDistillationValueAndGrad<A extends JaxArray>
  extends DistillationValueAndGrad<A> {
  <P>(
    forward: (params: P) => ByLayer<A>,
    params: P,
    ...rest: Rest<LayerwiseCall<A>>
  ): Promise<ValueAndGrad<P>>;
}

/**
 * A strategy as what `valueAndGrad` of jax-js is to a function of its own: the loss of a model's
 * outputs, and its gradient with respect to the model's parameters. The outputs are awaited, the
 * strategy computes loss and gradient, and `vjp` takes the latter back through the model; there is
 * one forward pass, and nothing waits synchronously.
 *
 * - `jax`: jax-js, as imported
 * - `strategy`: any. What a strategy learns itself, a projection for instance, is not among
 *   `params`: its gradients are in `strategy.parameters()` after each call, to be stepped there. Or
 *   make the projection a part of `forward`
 *
 * Returns
 * `(forward, params, teacher, labels?, options?) => Promise<{ loss, gradient, components }>`:
 *
 * - forward: a function of `params` that returns the student's output, float32, shape [batch,
 *   columns] (a higher rank, [batch, length, columns], flattens to rows)
 * - params: an array, or arrays in objects and lists
 * - teacher: a constant, float32 in the same shape or flat, [rows, columns]; or a matrix, or
 *   `SparseTargets` where the strategy takes them
 * - labels: class indices, an int32 array or an `Int32Array`; or distributions, one-hot for
 *   instance, in the output's shape
 * - options: `mask`, `rowWeights`, `temperatures`, each an array of one number a row; `normalizer`,
 *   the denominator of the mean; `rowLosses`, a `Float64Array` that is written with the loss of
 *   each row
 *
 * For a hybrid, `forward` may return arrays by layer, `{ output, hidden }`, with a teacher by
 * layer: each entry reads its own.
 *
 * As everywhere in jax-js, arrays that are passed are consumed, `params` and those after it: pass
 * `.ref` of what is needed again. So are they where the call is refused.
 *
 * Throws what the strategy throws, and `DistillationError` for an array of another type or rank, or
 * with its rows in other dimensions, [length, batch] (DTYPE_MISMATCH, SHAPE_MISMATCH).
 *
 * @example
 * import * as jax from '@jax-js/jax';
 * import { ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { distillationValueAndGrad } from 'knowledge-distillation/jax';
 *
 * await jax.init('wasm');
 * const { numpy: np } = jax;
 * const valueAndGrad = distillationValueAndGrad(jax, new ResponseDistillationStrategy({ temperature: 4 }));
 * const inputs = np.array([[1, 0], [0, 1]]);
 * const teacher = np.array([[3, 1, 0], [0, 2, 1]]);
 * let weights = np.zeros([2, 3]);
 * const student = (w: typeof weights) => np.matmul(inputs.ref, w);
 * const { loss, gradient } = await valueAndGrad(student, weights.ref, teacher.ref, Int32Array.of(0, 1));
 * weights = weights.sub(gradient.mul(0.5));
 * console.log(loss, weights.js());
 */
export function distillationValueAndGrad<A extends JaxArray>(
  jax: Jax<A>,
  strategy: HybridDistillationStrategy,
): LayerwiseDistillationValueAndGrad<A>;
export function distillationValueAndGrad<A extends JaxArray>(
  jax: Jax<A>,
  strategy: IDistillationStrategy,
): DistillationValueAndGrad<A>;
export function distillationValueAndGrad<A extends JaxArray>(
  jax: Jax<A>,
  strategy: IDistillationStrategy,
): LayerwiseDistillationValueAndGrad<A> {
  const operation = 'distillationValueAndGrad';
  if (typeof jax?.vjp !== 'function') {
    throwType(operation, 'jax', 'be jax-js', jax, "import * as jax from '@jax-js/jax'");
  }
  checkStrategy(operation, 'strategy', strategy);
  return async <P>(
    forward: (params: P) => Outputs<A>,
    params: P,
    ...rest: Rest<Call<A>> | Rest<LayerwiseCall<A>>
  ): Promise<ValueAndGrad<P>> => {
    const owned = arraysIn(rest);
    try {
      if (typeof forward !== 'function') {
        owned.push(...arraysIn(params));
        throwType(operation, 'forward', 'be a function that returns the output', forward);
      }
      let made: Outputs<A> | undefined;
      const [outputs, pull] = jax.vjp(
        (given) => {
          made = forward(given as P);
          return apart(made);
        },
        [params],
      );
      owned.push(...arraysIn(outputs));
      try {
        if (typeTag(made) !== 'Object') {
          throwType(operation, 'student', 'be a tensor or tensors by layer', made);
        }
        const call = [outputs, ...rest] as Call<A> | LayerwiseCall<A>; // one or the other, as the overloads have it
        const inputs = new JaxInputs(operation);
        const evaluate = evaluation(operation, strategy, call, inputs);
        await inputs.readAll();
        const { loss, gradients, components = [] } = evaluate();
        const upstream = toOutputs(jax, gradients, outputs);
        const [gradient] = pull(upstream);
        const kept = arraysIn(gradient);
        // jax-js does not consume that of an output which no parameter reaches.
        owned.push(...arraysIn(upstream).filter((array) => !kept.includes(array)));
        return { loss, gradient: gradient as P, components };
      } finally {
        pull.dispose();
      }
    } finally {
      for (const array of owned) if (array.refCount > 0) array.dispose();
    }
  };
}

/**
 * Outputs of which none goes into another: jax-js 0.1.25 cannot take gradients back to one that
 * does. What is no array is left out, to be missed once jax-js is done, since it frees nothing
 * where a function that it traces throws.
 */
function apart<A extends JaxArray>(outputs: Outputs<A>): Outputs<A> {
  if (isTraced(outputs)) return outputs;
  const layers = Object.entries(outputs ?? {}).filter(([, array]) => isTraced(array));
  return Object.fromEntries(layers.map(([name, array]) => [name, array.reshape([...array.shape])]));
}

/** While it is traced, an array has no data. */
function isTraced<A extends JaxArray>(value: Outputs<A>): value is A {
  return typeof value === 'object' && value !== null && 'reshape' in value;
}

/**
 * The gradients as arrays in the structure of the outputs: 0 for a layer that was not read, and
 * where there are no rows, of which jax-js 0.1.25 takes no data.
 */
function toOutputs<A extends JaxArray>(
  { numpy }: Jax<A>,
  gradients: ByLayer<Matrix>,
  outputs: Outputs<A>,
): Outputs<A> {
  // A copy, for jax-js takes no view on shared memory.
  const toArray = (gradient: Matrix | undefined, { shape, dtype, device }: A) =>
    gradient?.rows
      ? numpy.array(gradient.data.slice(), { shape: [...shape], device })
      : numpy.zeros([...shape], { dtype, device });
  if (isTensor(outputs)) return toArray(gradients.output, outputs);
  const layers = Object.entries(outputs);
  return Object.fromEntries(layers.map(([name, array]) => [name, toArray(gradients[name], array)]));
}

/** The arrays in a value, each as often as it is there. */
function arraysIn(value: unknown): JaxArray[] {
  if (isArray(value)) return [value];
  const isTree = Array.isArray(value) || typeTag(value) === 'Object';
  return isTree ? Object.values(value as object).flatMap(arraysIn) : [];
}

/** By its counting of references. */
function isArray(value: unknown): value is JaxArray {
  return isTensor(value) && 'refCount' in value;
}
