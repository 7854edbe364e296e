import type { DistillationStrategyBase } from 'knowledge-distillation';
import { Bump, LABEL, likelihoods, TWO_PEAKS } from '../../../../bumps.js';
import type { Strategies } from './losses.js';

// A student of one peak descends on the loss against a teacher of two.

/** The farthest that a step moves the mean and the logarithm of the width: as an eye can follow. */
const FARTHEST = { mean: 0.12, logWidth: 0.015 };
/** Widths that the picture can show. */
const WIDTHS = [0.4, 40] as const;
/** Steps that move a student less than this are not seen. */
const STILL = 1e-3;
/** Classes on each side of a peak that belong to it: two widths of the teacher's peaks. */
const REACH = 5;
/** A student with less of its probability on a peak has left the peak out. */
const LITTLE = 0.1;

/** A student on its way. */
export interface Descent {
  readonly bump: Bump;
  readonly steps: number;
  /** Whether the last step moved the student too little to be seen. */
  readonly isDone: boolean;
}

/** A student at the start of its way. */
export function startAt(mean: number, width: number): Descent {
  return { bump: new Bump(mean, Math.log(width)), steps: 0, isDone: false };
}

/** A loss as the descent takes it: softened, without the labels' own loss. */
export function lossOf(
  Strategy: Strategies[string],
  temperature: number,
): DistillationStrategyBase<Float64Array> {
  return new Strategy({ temperature, alpha: 0 });
}

/** The loss of a student. */
export function lossAt({ bump }: Descent, loss: DistillationStrategyBase<Float64Array>): number {
  return bump.evaluate(loss, TWO_PEAKS, LABEL).loss;
}

/** The student after one more step. */
export function step(
  { bump, steps }: Descent,
  loss: DistillationStrategyBase<Float64Array>,
): Descent {
  const next = bump.step(loss, TWO_PEAKS, 1, LABEL);
  const mean = bump.mean + limited(next.mean - bump.mean, FARTHEST.mean);
  const logWidth = bump.logWidth + limited(next.logWidth - bump.logWidth, FARTHEST.logWidth);
  const [least, largest] = WIDTHS;
  const moved = new Bump(mean, Math.min(Math.log(largest), Math.max(Math.log(least), logWidth)));
  const isDone =
    Math.abs(moved.mean - bump.mean) < STILL && Math.abs(moved.logWidth - bump.logWidth) < STILL;
  return { bump: moved, steps: steps + 1, isDone };
}

function limited(value: number, farthest: number): number {
  return Math.min(farthest, Math.max(-farthest, value));
}

/** The probabilities of the teacher at a temperature. */
export function teacherAt(temperature: number): number[] {
  return likelihoods(TWO_PEAKS, temperature);
}

/** The probabilities of a student at a temperature. */
export function studentAt({ bump }: Descent, temperature: number): number[] {
  return likelihoods(bump.logits(), temperature);
}

/** Says which of the teacher's peaks a student has its probability on. */
export function placeOf(student: Descent, temperature: number): string {
  const shares = studentAt(student, temperature);
  const on = peaksOf(teacherAt(temperature)).map((peak) =>
    shares.slice(peak - REACH, peak + REACH + 1).reduce((sum, share) => sum + share, 0),
  );
  const [larger = 0, smaller = 0] = on;
  if (larger + smaller < 0.5) return 'mostly beside both peaks';
  if (smaller < LITTLE) return 'on the larger peak only';
  if (larger < LITTLE) return 'on the smaller peak only';
  return 'spread over both peaks';
}

/** The classes that are more probable than both of their neighbours. */
function peaksOf(shares: readonly number[]): number[] {
  return [...shares.keys()].filter(
    (index) => shares[index]! > shares[index - 1]! && shares[index]! > shares[index + 1]!,
  );
}
