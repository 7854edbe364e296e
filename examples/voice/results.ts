import type { Pace } from '../shared/training.js';
import type { Shape } from './detector/layout.js';
import type { Judgements } from './judgement.js';
import type { Plan } from './scenes.js';

export interface Settings {
  readonly training: Plan;
  readonly test: Plan;
  readonly shape: Shape;
  readonly pace: Pace;
  readonly seeds: readonly number[];
}

/** Milliseconds of processor time for a frame of 32 ms. */
export interface Speed {
  readonly teacher: number;
  readonly student: number;
}

/** A student of one seed. */
interface Run {
  readonly seed: number;
  readonly judgements: Judgements;
  /** The judgements before the weights were rounded to a byte each. */
  readonly unrounded: Judgements;
}

export interface Results {
  readonly settings: Settings;
  /** Frames of the test. */
  readonly frames: number;
  readonly teacher: { readonly bytes: number; readonly judgements: Judgements };
  readonly student: { readonly bytes: number; readonly parameters: number };
  readonly milliseconds: Speed;
  readonly methods: readonly { readonly name: string; readonly runs: readonly Run[] }[];
}
