import type { ComponentLoss } from 'knowledge-distillation';
import type { TrainingState } from '../../digits/optimizer.js';

/** The settings of the student's loss, which may change between any two steps. */
export interface Recipe {
  /** Relative weights: the hybrid divides them by their sum. */
  readonly weights: {
    readonly response: number;
    readonly attention: number;
    readonly feature: number;
  };
  readonly temperature: number;
  /** Weight of the label of a labelled image, in [0, 1]. */
  readonly alpha: number;
}

/** The student's result on the held-out images after a number of steps. */
export interface CurvePoint {
  readonly step: number;
  readonly accuracy: number;
  /** Fraction of images for which student and teacher choose the same class. */
  readonly agreement: number;
}

/** The state from which a training resumes bit by bit, in a new worker or after a reload. */
export interface Snapshot extends TrainingState {
  /** The value of {@link SNAPSHOT_VERSION} at the time of the snapshot. */
  readonly version: number;
  /** Seed of the student, of its labelled images and of its batches. */
  readonly seed: number;
  readonly recipe: Recipe;
  readonly curve: readonly CurvePoint[];
}

/**
 * Version of the snapshots. Raise it when older snapshots cannot be resumed: with other models,
 * digits or batches, or another form of recipe or drawing.
 */
export const SNAPSHOT_VERSION = 1;

/** A model's answer for one image. */
export interface Answer {
  readonly probabilities: Float32Array;
  /** Attention of the first layer, [heads, tokens, tokens]; every row sums to 1. */
  readonly attention: Float32Array;
}

export type Request =
  /** The first message is `open` or `resume`. */
  | { readonly kind: 'open'; readonly seed: number; readonly recipe: Recipe }
  | { readonly kind: 'resume'; readonly snapshot: Snapshot }
  /** Trains until `pause` or the last step. */
  | { readonly kind: 'train' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'teach'; readonly recipe: Recipe }
  /** `pixels`: 28 rows of 28, 0 (paper) to 1 (ink), centred as those of MNIST are. */
  | { readonly kind: 'ask'; readonly pixels: Float32Array };

export type Report =
  /** The reply to `open` and `resume`. */
  | {
      readonly kind: 'opened';
      readonly step: number;
      /** Number of steps of the training. */
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
  /** A request failed and changed nothing else; a training that failed is paused. */
  | { readonly kind: 'failed'; readonly message: string };
