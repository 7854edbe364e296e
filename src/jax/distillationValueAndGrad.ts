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
  type LayerwiseCall,
  prepareEvaluation,
  type Rest,
} from '../tensors/evaluation.js';
import { isTensor } from '../tensors/tensor.js';
import { JaxInputs } from './inputs.js';
import type { Jax, JaxArray, Outputs } from './jax.js';

/** A loss and its gradient by the parameters. */
export interface ValueAndGrad<P> {
  readonly loss: number;
  /** d loss / d params: arrays in the structure of `params`. Dispose them when done. */
  readonly gradient: P;
  /** Losses of the entries of a hybrid; their `weighted` losses sum to `loss`. */
  readonly components: readonly ComponentLoss[];
}

/**
 * Computes a loss of the outputs of a function, and its gradient with respect to the function's
 * parameters. {@link distillationValueAndGrad} describes the arguments.
 */
export type DistillationValueAndGrad<A extends JaxArray> = <P>(
  forward: (params: P) => A,
  params: P,
  ...rest: Rest<Call<A>>
) => Promise<ValueAndGrad<P>>;

/** As {@link DistillationValueAndGrad}, for a hybrid: outputs may also be given by layer. */
export interface LayerwiseDistillationValueAndGrad<A extends JaxArray>
  extends DistillationValueAndGrad<A> {
  <P>(
    forward: (params: P) => ByLayer<A>,
    params: P,
    ...rest: Rest<LayerwiseCall<A>>
  ): Promise<ValueAndGrad<P>>;
}

/**
 * Makes a function that computes the loss of a jax-js model's outputs by a strategy, and its
 * gradient with respect to the model's parameters. It is the counterpart of `valueAndGrad` of
 * jax-js.
 *
 * The function awaits the outputs of one forward pass. The strategy computes the loss and its
 * gradient by the outputs, and `vjp` of jax-js propagates the gradient through the model. Nothing
 * waits synchronously.
 *
 * The result is a function `(forward, params, teacher, labels?, options?)`, which returns a promise
 * of `{ loss, gradient, components }`:
 *
 * - `forward`: a function of `params` that returns the student's output, float32, shape [batch,
 *   columns]. A higher rank, such as [batch, length, columns], is flattened to rows
 * - `params`: an array, or arrays in objects and lists
 * - `teacher`: a constant: float32 in the shape of the output, or flattened to [rows, columns]; or
 *   a matrix, or `SparseTargets` if the strategy takes them
 * - `labels`: class indices as an int32 array or an `Int32Array`; or distributions, such as one-hot
 *   rows, in the shape of the output
 * - `options`: `mask`, `rowWeights` and `temperatures`, each an array with one number for each row;
 *   `normalizer`, the denominator of the mean; `rowLosses`, a `Float64Array` to which the loss of
 *   each row is written
 *
 * For a hybrid, `forward` may return arrays by layer, `{ output, hidden }`, and the teacher is then
 * given by layer, too: each entry of the hybrid reads its own layer.
 *
 * As everywhere in jax-js, the call consumes the arrays that are passed, `params` and all arguments
 * after it, also if it throws. Pass `.ref` of an array that is needed again.
 *
 * @param jax - jax-js, as imported: `import * as jax from '@jax-js/jax'`
 * @param strategy - any strategy. Parameters of the strategy itself, such as a projection, are not
 *   part of `params`: after each call, their gradients are in `strategy.parameters()`, for the
 *   caller to step. Alternatively, make the projection a part of `forward`
 * @returns the function described above
 * @throws {TypeError} if `jax` is not jax-js or `strategy` is not a strategy
 * @throws {DistillationError} the returned function rejects with `DTYPE_MISMATCH` and
 * `SHAPE_MISMATCH` for an array of another dtype or rank, or whose dimensions are in another order
 * ([length, batch]), and with the errors of the strategy
 *
 * @example
 * ```ts
 * import * as jax from '@jax-js/jax';
 * import { ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { distillationValueAndGrad } from 'knowledge-distillation/jax';
 *
 * await jax.init('wasm');
 * const { numpy: np } = jax;
 * const strategy = new ResponseDistillationStrategy({ temperature: 4 });
 * const valueAndGrad = distillationValueAndGrad(jax, strategy);
 * const inputs = np.array([[1, 0], [0, 1]]);
 * const teacher = np.array([[3, 1, 0], [0, 2, 1]]);
 * let weights = np.zeros([2, 3]);
 * const student = (w: typeof weights) => np.matmul(inputs.ref, w);
 * const labels = Int32Array.of(0, 1);
 * const { loss, gradient } = await valueAndGrad(student, weights.ref, teacher.ref, labels);
 * console.log(loss.toFixed(4)); // 0.7272
 * weights = weights.sub(gradient.mul(0.5));
 * ```
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
          return separate(made);
        },
        [params],
      );
      owned.push(...arraysIn(outputs));
      try {
        if (typeTag(made) !== 'Object') {
          throwType(operation, 'student', 'be a tensor or tensors by layer', made);
        }
        // The overloads allow both.
        const call = [outputs, ...rest] as Call<A> | LayerwiseCall<A>;
        const inputs = new JaxInputs(operation);
        const evaluate = prepareEvaluation(operation, strategy, call, inputs);
        await inputs.readAll();
        const { loss, gradients, components = [] } = evaluate();
        const upstream = toOutputs(jax, gradients, outputs);
        const [gradient] = pull(upstream);
        const kept = arraysIn(gradient);
        // jax-js does not consume the gradient of an output that depends on no parameter.
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
 * Returns outputs of which none is computed from another: `vjp` of jax-js 0.1.25 does not support
 * an output that another output is computed from. Values that are not arrays are left out and
 * reported later, because jax-js leaks memory if a function throws while it is traced.
 */
function separate<A extends JaxArray>(outputs: Outputs<A>): Outputs<A> {
  if (isTraced(outputs)) return outputs;
  const layers = Object.entries(outputs ?? {}).filter(([, array]) => isTraced(array));
  return Object.fromEntries(layers.map(([name, array]) => [name, array.reshape([...array.shape])]));
}

/** Whether a value is an array that is traced: such an array has no data. */
function isTraced<A extends JaxArray>(value: Outputs<A>): value is A {
  return typeof value === 'object' && value !== null && 'reshape' in value;
}

/**
 * Returns the gradients as arrays in the structure of the outputs. A layer that was not read has
 * the gradient 0. So has an output without rows, because jax-js 0.1.25 takes no empty data.
 */
function toOutputs<A extends JaxArray>(
  { numpy }: Jax<A>,
  gradients: ByLayer<Matrix>,
  outputs: Outputs<A>,
): Outputs<A> {
  // slice() copies: jax-js takes no view on shared memory.
  const toArray = (gradient: Matrix | undefined, { shape, dtype, device }: A) =>
    gradient?.rows
      ? numpy.array(gradient.data.slice(), { shape: [...shape], device })
      : numpy.zeros([...shape], { dtype, device });
  if (isTensor(outputs)) return toArray(gradients.output, outputs);
  const layers = Object.entries(outputs);
  return Object.fromEntries(layers.map(([name, array]) => [name, toArray(gradients[name], array)]));
}

/** Returns all arrays in a value, each as often as it occurs. */
function arraysIn(value: unknown): JaxArray[] {
  if (isArray(value)) return [value];
  const isTree = Array.isArray(value) || typeTag(value) === 'Object';
  return isTree ? Object.values(value as object).flatMap(arraysIn) : [];
}

/** Whether a value is an array of jax-js, which counts references. */
function isArray(value: unknown): value is JaxArray {
  return isTensor(value) && 'refCount' in value;
}
