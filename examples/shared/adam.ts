const MEAN_DECAY = 0.9;
const SQUARE_DECAY = 0.99;
const EPSILON = 1e-8;

/** Decaying means of a parameter's gradient and of its square. */
export interface Moments {
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019) on plain arrays. One loop per array
 * replaces the ten tensor operations of `tf.train.adam`.
 */
export class Adam {
  readonly #moments = new Map<Float32Array, Moments>();
  readonly #weightDecay: number;
  #steps: number;

  /**
   * Resumes from the number of steps of another Adam; {@link momentsOf} holds the rest of its
   * state.
   */
  constructor(weightDecay: number, steps = 0) {
    this.#weightDecay = weightDecay;
    this.#steps = steps;
  }

  /** Number of completed steps. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Takes one step for every pair. It writes into `value`, which identifies a parameter from step
   * to step.
   */
  step(
    parameters: Iterable<{ value: Float32Array; gradient: Float32Array }>,
    learningRate: number,
  ): void {
    this.#steps++;
    const meanCorrection = 1 - MEAN_DECAY ** this.#steps;
    const squareCorrection = 1 - SQUARE_DECAY ** this.#steps;
    for (const { value, gradient } of parameters) {
      const { mean, square } = this.momentsOf(value);
      for (let i = 0; i < value.length; i++) {
        const slope = gradient[i]!;
        const newMean = MEAN_DECAY * mean[i]! + (1 - MEAN_DECAY) * slope;
        const newSquare = SQUARE_DECAY * square[i]! + (1 - SQUARE_DECAY) * slope * slope;
        const direction =
          newMean / meanCorrection / (Math.sqrt(newSquare / squareCorrection) + EPSILON);
        mean[i] = newMean;
        square[i] = newSquare;
        value[i]! -= learningRate * (direction + this.#weightDecay * value[i]!);
      }
    }
  }

  /** Returns the moments of a parameter, not a copy, so that a caller may write into them. */
  momentsOf(value: Float32Array): Moments {
    let moments = this.#moments.get(value);
    if (moments === undefined) {
      moments = { mean: new Float32Array(value.length), square: new Float32Array(value.length) };
      this.#moments.set(value, moments);
    }
    return moments;
  }
}
