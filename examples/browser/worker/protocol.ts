import type { ComponentLoss } from 'knowledge-distillation';
import type { TrainingState } from '../../digits/optimizer.js';

/** How the student is taught; may change between any two steps. */
export interface Recipe {
  /** Relative to each other: the hybrid divides them by their sum. */
  readonly weights: {
    readonly response: number;
    readonly attention: number;
    readonly feature: number;
  };
  readonly temperature: number;
  /** Weight of the true label, in [0, 1], where an image has one. */
  readonly alpha: number;
}

/** Result of the student on the held-out images after a number of steps. */
export interface CurvePoint {
  readonly step: number;
  readonly accuracy: number;
  /** Fraction of images in which it chooses the class that its teacher chooses. */
  readonly agreement: number;
}

/** All that a training goes on from, bit by bit: in a new worker, or after the page was closed. */
export interface Snapshot extends TrainingState {
  /** {@link SNAPSHOT_VERSION} at the time of the snapshot. */
  readonly version: number;
  /** Of the student, its labelled images and its batches. */
  readonly seed: number;
  readonly recipe: Recipe;
  readonly curve: readonly CurvePoint[];
}

/**
 * To be raised when what was saved no longer says how to go on: other models, digits or batches, or
 * another form of recipe or drawing.
 */
export const SNAPSHOT_VERSION = 1;

/** What a model says about one image. */
export interface Answer {
  readonly probabilities: Float32Array;
  /** Of the first layer, [heads, tokens, tokens]; every row sums to 1. */
  readonly attention: Float32Array;
}

export type Request =
  /** The first message is one of these two. */
  | { readonly kind: 'open'; readonly seed: number; readonly recipe: Recipe }
  | { readonly kind: 'resume'; readonly snapshot: Snapshot }
  /** Runs until `pause` or the last step. */
  | { readonly kind: 'train' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'teach'; readonly recipe: Recipe }
  /** `pixels`: 28 rows of 28, 0 (paper) to 1 (ink), centred as those of MNIST are. */
  | { readonly kind: 'ask'; readonly pixels: Float32Array };

export type Report =
  /** Answers `open` and `resume`. */
  | {
      readonly kind: 'opened';
      readonly step: number;
      /** The last step of the training. */
      readonly steps: number;
      readonly teacher: { readonly accuracy: number; readonly parameters: number };
      readonly student: { readonly parameters: number };
      readonly labelledImages: number;
      readonly heldOutImages: number;
      /** Ten held-out images, one of each digit from 0 to 9, as `ask` takes them. */
      readonly samples: readonly Float32Array[];
    }
  /** `components`: in the order response, attention, feature. */
  | {
      readonly kind: 'step';
      readonly step: number;
      readonly loss: number;
      readonly components: readonly ComponentLoss[];
    }
  /** Sent at regular steps and after the last step: one more point of the curve. */
  | { readonly kind: 'evaluated'; readonly snapshot: Snapshot }
  | { readonly kind: 'paused'; readonly snapshot: Snapshot }
  | { readonly kind: 'finished'; readonly snapshot: Snapshot }
  | {
      readonly kind: 'answer';
      readonly teacher: Answer;
      readonly student: Answer;
    }
  /**
   * What was asked could not be done, and nothing else has changed; a training that failed is
   * paused.
   */
  | { readonly kind: 'failed'; readonly message: string };
