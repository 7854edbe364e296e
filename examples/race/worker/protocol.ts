import type { ComponentLoss } from 'knowledge-distillation';
import type { TrainingState } from '../../digits/optimizer.js';

/** A student's loss and its images. The recipe may change between any two steps. */
export interface Recipe {
  /** The images of the batches: the labelled ones only, or all. */
  readonly images: 'labelled' | 'all';
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
  /** The recipe of the last step before this point. */
  readonly recipe: Recipe;
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
export const SNAPSHOT_VERSION = 2;

/** A model in the worker. */
export type Model = 'teacher' | 'student';

/** A model's answer for one image. */
export interface Answer {
  /** One logit for each digit: the page softens them at any temperature. */
  readonly logits: Float32Array;
  /** Attention of the first layer, [heads, tokens, tokens]; every row sums to 1. */
  readonly attention: Float32Array;
}

/** Models and data, as measured by the worker. */
export interface Facts {
  readonly teacher: { readonly accuracy: number; readonly parameters: number };
  readonly student: { readonly parameters: number };
  readonly images: number;
  readonly labelledImages: number;
  readonly heldOutImages: number;
}

export type Request =
  /** The first message: the teacher's weights. Its reply is `met`. */
  | { readonly kind: 'meet'; readonly weights: Float32Array }
  /** The images of the students, as `encodeDigits` writes them. */
  | { readonly kind: 'prepare'; readonly training: Uint8Array; readonly heldOut: Uint8Array }
  /** `open` and `resume` give the worker its student. They need the images. */
  | { readonly kind: 'open'; readonly seed: number; readonly recipe: Recipe }
  | { readonly kind: 'resume'; readonly snapshot: Snapshot }
  /** Trains until the student has completed `until` steps, or until `pause`. */
  | { readonly kind: 'train'; readonly until: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'teach'; readonly recipe: Recipe }
  /**
   * `pixels`: 28 rows of 28, 0 (paper) to 1 (ink), centred as in MNIST. The teacher can
   * answer once it is met, the student once there is one.
   */
  | { readonly kind: 'ask'; readonly model: Model; readonly pixels: Float32Array };

export type Report =
  | { readonly kind: 'met' }
  /** The reply to `open` and `resume`. */
  | { readonly kind: 'opened'; readonly step: number; readonly facts: Facts }
  /** `components`: in the order response, attention, feature. */
  | {
      readonly kind: 'step';
      readonly step: number;
      readonly loss: number;
      readonly components: readonly ComponentLoss[];
    }
  /** Sent at regular steps: one more point of the curve. */
  | { readonly kind: 'evaluated'; readonly snapshot: Snapshot }
  /** The reply to `pause`. */
  | { readonly kind: 'paused'; readonly snapshot: Snapshot }
  /** The reply to `teach`. */
  | { readonly kind: 'taught' }
  | { readonly kind: 'answer'; readonly model: Model; readonly answer: Answer }
  /** A request failed and changed nothing else; a training that failed is paused. */
  | { readonly kind: 'failed'; readonly message: string };
