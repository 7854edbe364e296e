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

/** What a strategy said about one call. */
export interface Answer {
  readonly loss: number;
  readonly components: readonly ComponentLoss[];
  /** d loss / d output, by layer of the student. */
  readonly gradients: ByLayer<Matrix>;
  /** d loss / d variable, in their order. */
  readonly learned: readonly Matrix[];
}

/** A call that was answered, and what is to be differentiated: for the weights of the moment. */
interface Answered<S> {
  readonly answer: Answer;
  readonly cost: () => S;
}

/** What a loss has beside its call. */
export interface LossState<V extends Tensor> {
  /** The parts of a hybrid's loss, as of the last call; they sum to it. */
  readonly components: readonly ComponentLoss[];
  /**
   * The strategy's parameters, of its projection for instance, as trainable variables: they start
   * with the values of the parameters, which take theirs at each call. An optimiser steps them with
   * all others, unless it is given a list.
   */
  readonly variables: readonly V[];
  /** Disposes the variables. A strategy that learns nothing of its own has none. */
  dispose(): void;
}

/** From TensorFlow.js to a strategy and back: values of tensors go out, gradients come in. */
export class Bridge<T extends Tensor, S extends T, V extends T> {
  readonly operation: string;
  readonly tf: TensorFlow<T, S, V>;
  /** What an optimiser steps in place of the strategy's parameters. */
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

  /** The state of a loss before its first call. */
  state(): LossState<V> & { components: readonly ComponentLoss[] } {
    return { components: [], variables: this.variables, dispose: () => this.dispose() };
  }

  dispose(): void {
    for (const variable of this.variables) variable.dispose();
  }

  /**
   * Writes what was learned into the parameters of the strategy. A call does so, too, with what was
   * learned before it.
   */
  async writeBack(): Promise<void> {
    const values = await Promise.all(this.variables.map((variable) => variable.data()));
    this.#parameters.forEach(({ value }, i) => {
      value.data.set(values[i]!);
    });
  }

  /**
   * Adds what has to be read for a call; the function that it returns asks the strategy once that
   * is done.
   */
  ask(call: Call<T> | LayerwiseCall<T>, inputs: TensorFlowInputs): () => Answer {
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

  /** Asks the strategy about tensors, and blocks until they are read. */
  answer(call: Call<T> | LayerwiseCall<T>): Answer {
    const inputs = new TensorFlowInputs(this.operation);
    const ask = this.ask(call, inputs);
    inputs.readAllSync(this.tf.getBackend());
    return ask();
  }

  /**
   * Runs a student, awaits what it puts out and asks the strategy; the cost runs the student again.
   */
  async rehearse(
    forward: () => T | ByLayer<T>,
    ...rest: Rest<Call<T>> | Rest<LayerwiseCall<T>>
  ): Promise<Answered<S>> {
    const { operation } = this;
    let made = {} as T | ByLayer<T>;
    const copies = this.tf.tidy(() => {
      made = forward();
      return copiesOf(this.tf, byLayer(operation, made));
    });
    try {
      const outputs: ByLayer<T> = { ...byLayer(operation, made), ...copies };
      const call = [isTensor(made) ? outputs.output : outputs, ...rest] as
        | Call<T>
        | LayerwiseCall<T>; // one or the other, as the overloads have it
      const inputs = new TensorFlowInputs(operation);
      const ask = this.ask(call, inputs);
      await inputs.readAll();
      const answer = ask();
      const cost = () => {
        const again = byLayer(operation, forward());
        for (const name of Object.keys(answer.gradients)) {
          checkAgain(operation, `student.${name}`, again[name]!, outputs[name]!);
        }
        return this.differentiable(answer, again);
      };
      return { answer, cost };
    } finally {
      for (const tensor of Object.values(copies)) tensor.dispose();
    }
  }

  /**
   * The loss as a scalar whose gradients with respect to the outputs and the variables are those of
   * the answer.
   */
  differentiable({ loss, gradients, learned }: Answer, outputs: ByLayer<T>): S {
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
   * The gradient as a tensor in the shape of another, by which TensorFlow.js may not differentiate
   * it.
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
 * Of what a function returns within `tf.tidy`, the tensors, to be disposed: copies of the handles,
 * not of the values, since what it returns may be its own, and outlive the call. Any other value
 * passes until somebody reads it.
 */
export function copiesOf<T extends Tensor>(
  { clone }: Pick<TensorFlow<T, T, T>, 'clone'>,
  layers: ByLayer<unknown>,
): Record<string, T> {
  const tensors = Object.entries(layers).filter(([, value]) => isHeld(value)) as [string, T][];
  return Object.fromEntries(tensors.map(([name, tensor]) => [name, clone(tensor)]));
}

/** Throws unless an output is as it was in the first pass. */
function checkAgain(operation: string, argument: string, again: Tensor, first: Tensor): void {
  checkTensor(operation, argument, again);
  if (String(again.shape) === String(first.shape)) return;
  throwShape(operation, argument, again.shape, first.shape, 'that of the first pass');
}
