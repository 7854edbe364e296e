import * as tf from '@tensorflow/tfjs-core';
import { Adam, type Moments } from '../shared/adam.js';
import { schedule } from '../shared/schedule.js';

export interface TrainingSettings {
  /** Number of steps after which the learning rate no longer falls. */
  readonly steps: number;
  /** The highest learning rate: the schedule rises to it and falls again. */
  readonly learningRate: number;
  /** The part of the learning rate at which it stops falling; 0 by default. */
  readonly floor?: number;
  readonly weightDecay: number;
}

/** The state from which a training resumes, without its batches. */
export interface TrainingState {
  readonly step: number;
  /** The learned parameters, in the order of the variables. */
  readonly parameters: readonly Parameter[];
}

interface Parameter extends Moments {
  readonly value: Float32Array;
}

/** The start of a training: variables, and a state to resume from. */
interface Beginning {
  readonly variables?: readonly tf.Variable[];
  readonly state?: TrainingState | undefined;
}

interface Weight {
  readonly variable: tf.Variable;
  readonly value: Float32Array;
}

/**
 * Adam with weight decay and a learning rate that rises and falls, as an optimizer of
 * TensorFlow.js.
 */
export class ScheduledAdam {
  readonly #settings: TrainingSettings;
  readonly #adam: Adam;
  #weights: readonly Weight[];

  /**
   * Learns `variables`, or the variables of the first step if there are none; resumes from `state`
   * if there is one.
   */
  constructor(settings: TrainingSettings, { variables = [], state }: Beginning = {}) {
    this.#settings = settings;
    this.#adam = new Adam(settings.weightDecay, state?.step);
    this.#weights = variables.map(weightOf);
    if (state) this.#restore(state);
  }

  /** Number of completed steps. */
  get steps(): number {
    return this.#adam.steps;
  }

  /** A copy of the state. */
  get state(): TrainingState {
    const parameters = this.#weights.map(({ value }) => {
      const { mean, square } = this.#adam.momentsOf(value);
      return { value: value.slice(), mean: mean.slice(), square: square.slice() };
    });
    return { step: this.#adam.steps, parameters };
  }

  applyGradients(
    gradients: readonly { readonly name: string; readonly tensor: tf.Tensor }[],
  ): void {
    const { registeredVariables } = tf.engine();
    if (this.#weights.length === 0) {
      this.#weights = gradients.map(({ name }) => weightOf(registeredVariables[name]!));
    }
    const { steps, learningRate, floor } = this.#settings;
    this.#adam.step(
      this.#weights.map(({ value }, i) => ({
        value,
        gradient: gradients[i]!.tensor.dataSync<'float32'>(),
      })),
      learningRate * schedule((this.steps + 1) / steps, floor),
    );
    this.#assign();
  }

  #restore({ parameters }: TrainingState): void {
    checkParameters(parameters, this.#weights);
    for (const [i, { value }] of this.#weights.entries()) {
      const saved = parameters[i]!;
      const { mean, square } = this.#adam.momentsOf(value);
      value.set(saved.value);
      mean.set(saved.mean);
      square.set(saved.square);
    }
    this.#assign();
  }

  #assign(): void {
    tf.tidy(() => {
      for (const { variable, value } of this.#weights) {
        variable.assign(tf.tensor(value, variable.shape));
      }
    });
  }
}

function weightOf(variable: tf.Variable): Weight {
  return { variable, value: variable.dataSync<'float32'>() };
}

/** Throws unless there is one parameter for each weight, with the same number of finite values. */
function checkParameters(parameters: readonly Parameter[], weights: readonly Weight[]): void {
  if (parameters.length !== weights.length) {
    throw new RangeError(
      `the state has ${parameters.length} parameters, expected ${weights.length}: another model?`,
    );
  }
  for (const [i, { value }] of weights.entries()) {
    for (const part of ['value', 'mean', 'square'] as const) {
      const numbers = parameters[i]![part];
      if (numbers?.length === value.length && numbers.every(Number.isFinite)) continue;
      throw new RangeError(
        `parameter ${i} of the state has a ${part} of ${numbers?.length} numbers, expected ${value.length} finite ones`,
      );
    }
  }
}
