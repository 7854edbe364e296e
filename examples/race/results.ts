import type { PresetName } from './page/presets.js';
import recorded from './results.json' with { type: 'json' };
import type { Facts } from './worker/protocol.js';

/** A student's result on the held-out images after a number of steps. */
export interface Point {
  readonly step: number;
  readonly accuracy: number;
  /** Fraction of images for which student and teacher choose the same class. */
  readonly agreement: number;
}

/** A student that was trained with one preset for a lap. */
export interface Measured {
  readonly curve: readonly Point[];
  /** Overlap of its attention with the teacher's, averaged over heads and held-out images. */
  readonly overlap: { readonly start: number; readonly end: number };
}

export interface Results {
  readonly facts: Facts;
  /** Number of labelled images from which the teacher has learned. */
  readonly teacherLabels: number;
  readonly students: Readonly<Record<PresetName, Measured>>;
}

/** The results that `npm run example:race:presets` has recorded. */
export const RESULTS: Results = recorded;

/** Returns the result at the end of the lap. */
export function lastOf({ curve }: Measured): Point {
  return curve.at(-1)!;
}

/** Returns the step from which one student is right more often than another up to the end. */
export function aheadFrom({ curve }: Measured, other: Measured): number | undefined {
  const behind = curve.map(({ accuracy }, index) => accuracy <= other.curve[index]!.accuracy);
  return curve[behind.lastIndexOf(true) + 1]?.step;
}
