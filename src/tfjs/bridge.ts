import type { ComponentLoss } from '../call/batch.js';
import type { IDistillationStrategy } from '../call/options.js';
import type { Parameter } from '../call/parameter.js';
import { sharesBase } from '../call/sharesBase.js';
import { refuse, throwShape, throwType } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { checkStrategy } from '../strategies/hybrid/weights.js';
import {
  type ByLayer,
  byLayer,
  type Call,
  type LayerwiseCall,
  prepareEvaluation,
  type Rest,
} from '../tensors/evaluation.js';
import { isTensor } from '../tensors/tensor.js';
import { checkTensor, isHeld, TensorFlowInputs } from './inputs.js';
import type { Tensor, TensorFlow } from './tensorflow.js';

/** Result of a strategy for one call. */
export interface StrategyResult {
  readonly loss: number;
  readonly components: readonly ComponentLoss[];
  /** d loss / d output, by layer of the student. */
  readonly gradients: ByLayer<Matrix>;
  /** d loss / d variable, in the order of the variables. */
  readonly learned: readonly Matrix[];
}

/** Result of a first forward pass. `cost` is to be differentiated, at the same weights. */
interface Rehearsal<S> {
  readonly result: StrategyResult;
  readonly cost: () => S;
}

/** The properties of a loss function. */
export interface LossState<V extends Tensor> {
  /**
   * Losses of the entries of a hybrid in the last call; their `weighted` losses sum to the loss.
   */
  readonly components: readonly ComponentLoss[];
  /**
   * The strategy's parameters, such as a projection, as trainable variables. They start with the
   * values of the parameters, and each call copies their values to the parameters. An optimizer
   * steps them with all other variables, unless it is given a list of variables.
   */
  readonly variables: readonly V[];
  /** Disposes the variables. A strategy without parameters has none. */
  dispose(): void;
}

/** Passes the values of tensors to a strategy, and its gradients back to TensorFlow.js. */
export class Bridge<T extends Tensor, S extends T, V extends T> {
  readonly operation: string;
  readonly tf: TensorFlow<T, S, V>;
  /** Copies of the strategy's parameters, which an optimizer steps. */
  readonly variables: readonly V[];
  readonly #strategy: IDistillationStrategy;
  readonly #parameters: readonly Parameter[];

  constructor(operation: string, tf: TensorFlow<T, S, V>, strategy: IDistillationStrategy) {
    if (typeof tf?.customGrad !== 'function') {
      throwType(operation, 'tf', 'be TensorFlow.js', tf, "import * as tf from '@tensorflow/tfjs'");
    }
    checkStrategy(operation, 'strategy', strategy);
    this.operation = operation;
    this.tf = tf;
    this.#strategy = strategy;
    this.#parameters = sharesBase(strategy) ? strategy.parameters() : [];
    this.variables = this.#parameters.map(({ value }) => this.#variable(value));
  }

  /** Returns the state of a loss before its first call. */
  state(): LossState<V> & { components: readonly ComponentLoss[] } {
    return { components: [], variables: this.variables, dispose: () => this.dispose() };
  }

  dispose(): void {
    for (const variable of this.variables) variable.dispose();
  }

  /**
   * Copies the values of the variables to the parameters of the strategy. Each call does this at
   * its beginning, too.
   */
  async writeBack(): Promise<void> {
    const values = await Promise.all(this.variables.map((variable) => variable.data()));
    this.#parameters.forEach(({ value }, i) => {
      value.data.set(values[i]!);
    });
  }

  /**
   * Adds the tensors of a call to the inputs. Returns a function that evaluates the strategy; call
   * it once the inputs are read.
   */
  prepare(call: Call<T> | LayerwiseCall<T>, inputs: TensorFlowInputs): () => StrategyResult {
    const evaluate = prepareEvaluation(this.operation, this.#strategy, call, inputs);
    const variables = this.variables.map((variable) => inputs.variable(variable));
    return () => {
      this.#parameters.forEach(({ value }, i) => {
        value.data.set(variables[i]!());
      });
      const { loss, gradients, components = [] } = evaluate();
      // The next call overwrites the gradients of the parameters.
      const learned = this.#parameters.map(({ gradient }) => gradient.clone());
      return { loss, gradients, components, learned };
    };
  }

  /** Evaluates the strategy on tensors, which are read synchronously. */
  evaluate(call: Call<T> | LayerwiseCall<T>): StrategyResult {
    const inputs = new TensorFlowInputs(this.operation);
    const evaluate = this.prepare(call, inputs);
    inputs.readAllSync(this.tf.getBackend());
    return evaluate();
  }

  /**
   * Runs a student, awaits its outputs, and evaluates the strategy. The `cost` that is returned
   * runs the student again, to be differentiated.
   */
  async rehearse(
    forward: () => T | ByLayer<T>,
    ...rest: Rest<Call<T>> | Rest<LayerwiseCall<T>>
  ): Promise<Rehearsal<S>> {
    const { operation } = this;
    let returned = {} as T | ByLayer<T>;
    const copies = this.tf.tidy(() => {
      returned = forward();
      return copiesOf(this.tf, byLayer(operation, returned));
    });
    try {
      const outputs: ByLayer<T> = { ...byLayer(operation, returned), ...copies };
      const call = [isTensor(returned) ? outputs.output : outputs, ...rest] as
        | Call<T>
        | LayerwiseCall<T>; // the overloads allow both
      const inputs = new TensorFlowInputs(operation);
      const evaluate = this.prepare(call, inputs);
      await inputs.readAll();
      const result = evaluate();
      const cost = () => {
        const again = byLayer(operation, forward());
        for (const name of Object.keys(result.gradients)) {
          checkAgain(operation, `student.${name}`, again[name]!, outputs[name]!);
        }
        return this.differentiable(result, again);
      };
      return { result, cost };
    } finally {
      for (const tensor of Object.values(copies)) tensor.dispose();
    }
  }

  /**
   * Returns the loss as a scalar tensor. Its gradients by the outputs and the variables are the
   * gradients of the result.
   */
  differentiable({ loss, gradients, learned }: StrategyResult, outputs: ByLayer<T>): S {
    const { tf } = this;
    const inputs = [
      ...Object.entries(gradients).map(([name, gradient]) => ({
        tensor: outputs[name]!,
        gradient,
      })),
      ...learned.map((gradient, i) => ({ tensor: this.variables[i]!, gradient })),
    ];
    const tensors = inputs.map(({ tensor }) => tensor);
    const withGradients = tf.customGrad((...given) => {
      const save = given.at(-1);
      if (typeof save === 'function') save(tensors);
      return {
        value: tf.scalar(loss),
        gradFunc: (upstream: S, saved: T[]) =>
          inputs.map(({ gradient }, i) => tf.mul(upstream, this.#constant(gradient, saved[i]!))),
      };
    });
    return withGradients(...tensors);
  }

  /**
   * Returns a gradient as a tensor in the shape of another tensor. Differentiating the gradient by
   * that tensor throws.
   */
  #constant({ data }: Matrix, tensor: T): T {
    const { tf, operation } = this;
    return tf.customGrad((): { value: T; gradFunc: () => never } => ({
      value: tf.tensor(data, [...tensor.shape]),
      gradFunc: () =>
        refuse(
          'UNAVAILABLE',
          operation,
          'the gradient',
          'not be differentiated again',
          'a gradient of it',
        ),
    }))(tensor);
  }

  #variable({ data, rows, columns }: Matrix): V {
    const { tf } = this;
    const initial = tf.tensor(data.slice(), [rows, columns]);
    const variable = tf.variable(initial);
    initial.dispose();
    return variable;
  }
}

/**
 * Copies the tensors that a function returns within `tf.tidy`; the caller disposes the copies. Only
 * the handles are copied, not the values. The originals may belong to the function and outlive the
 * call. Values that are not tensors are left out, and refused where they are read.
 */
export function copiesOf<T extends Tensor>(
  { clone }: Pick<TensorFlow<T, T, T>, 'clone'>,
  layers: ByLayer<unknown>,
): Record<string, T> {
  const tensors = Object.entries(layers).filter(([, value]) => isHeld(value)) as [string, T][];
  return Object.fromEntries(tensors.map(([name, tensor]) => [name, clone(tensor)]));
}

/** Throws unless an output has the shape that it had in the first forward pass. */
function checkAgain(operation: string, argument: string, again: Tensor, first: Tensor): void {
  checkTensor(operation, argument, again);
  if (String(again.shape) === String(first.shape)) return;
  throwShape(operation, argument, again.shape, first.shape, 'that of the first pass');
}
