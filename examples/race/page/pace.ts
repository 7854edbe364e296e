/** Number of steps by which the faster student may be ahead. */
export const LEAD = 10;

/**
 * Returns the step up to which each student may train, so that all of them reach `end` together: a
 * student that is ahead waits.
 */
export function paceOf(steps: readonly number[], end: number): number {
  return Math.min(Math.min(...steps) + LEAD, end);
}

/** Returns the last step of the lap of the student that is behind. */
export function endOfLap(steps: readonly number[], lap: number): number {
  return (Math.floor(Math.min(...steps) / lap) + 1) * lap;
}
