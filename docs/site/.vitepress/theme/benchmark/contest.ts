// Measures contestants by turns on one batch.

import { type Pace, repeat, warmUp } from '../../../../../bench/compete.js';
import { makeProblem } from '../../../../../bench/problem.js';
import { median } from '../../../../../bench/statistics.js';
import type { Answer, Prepare, Ready, Work } from './contestants/contestant.js';
import type { Entry } from './entries.js';
import type { Group, Measured, Measurement } from './result.js';
import type { Settings, Size } from './settings.js';

const PACE: Pace = { warmUp: 250, round: 25 };
export const ROUNDS = 9;
/** A contestant whose call takes longer, in milliseconds, runs in the first rounds only. */
const SLOW = 100;
const FEWEST_ROUNDS = 3;
/** After this time, in milliseconds, a batch gets no more rounds than the fewest. */
const PATIENCE = 9000;
/** Largest difference between answers that compute the same in float32. */
const TOLERANCE = 1e-2;

/** A contestant, and how its code is loaded. */
export interface Contestant extends Entry {
  readonly load: () => Promise<Prepare>;
}

/** A contestant that takes part in the rounds. Its measurement grows. */
interface Runner {
  readonly ready: Ready;
  readonly run: (repetitions: number) => Promise<number>;
  readonly index: number;
}

/**
 * Runs all contestants on one batch, and calls `report` after each warm-up and each round. A
 * contestant that fails is reported in its row; the others go on.
 */
export async function contest(
  contestants: readonly Contestant[],
  work: Work,
  report: (group: Group, step: string) => void,
): Promise<Group> {
  const { rows, columns } = work;
  const measurements: Measurement[] = [];
  const runners: Runner[] = [];
  const tell = (step: string) => report({ rows, columns, measurements: [...measurements] }, step);
  const fail = (index: number, error: unknown) => {
    const { library, name } = contestants[index]!;
    measurements[index] = { library, name, failed: messageOf(error) };
  };
  const begin = performance.now();
  let expected: Answer | undefined;
  for (const [index, { library, name, load }] of contestants.entries()) {
    tell(`warming up ${library}, ${name}`);
    try {
      const ready = await (await load())(work);
      const { answer, run, measured } = await start(ready, expected);
      expected ??= answer;
      const { note } = ready;
      measurements[index] = { library, name, ...(note !== undefined && { note }), ...measured };
      runners.push({ ready, run, index });
    } catch (error) {
      fail(index, error);
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    if (round >= FEWEST_ROUNDS && performance.now() - begin > PATIENCE) break;
    tell(`round ${round + 1} of ${ROUNDS}`);
    for (const { run, index } of runners) {
      const one = measurements[index]!;
      if ('failed' in one || (round >= FEWEST_ROUNDS && median(one.times) > SLOW)) continue;
      try {
        const time = (await run(one.callsPerRound)) / one.callsPerRound;
        measurements[index] = { ...one, times: [...one.times, time] };
      } catch (error) {
        fail(index, error);
      }
    }
  }
  for (const { ready } of runners) ready.dispose?.();
  return { rows, columns, measurements };
}

/** Makes the arguments of the calls, the same numbers in every run. */
export function makeWork(size: Size, { hasLabels }: Settings): Work {
  const { student, teacher, labels } = makeProblem({ ...size, dtype: 'float32' });
  return {
    ...size,
    student: Float32Array.from(student),
    teacher: Float32Array.from(teacher),
    ...(hasLabels && { labels: Int32Array.from(labels) }),
  };
}

/** Takes the first step, compares the answer with the expected one, and warms up. */
async function start(
  ready: Ready,
  expected?: Answer,
): Promise<{ answer: Answer; run: Runner['run']; measured: Measured }> {
  await ready.select();
  const begin = performance.now();
  const { loss, gradient } = await ready.step();
  const firstCall = performance.now() - begin;
  const answer = { loss, gradient: gradient.slice() };
  const lossDifference = expected ? Math.abs(loss / expected.loss - 1) : 0;
  const gradientDifference = expected ? largestDifference(gradient, expected.gradient) : 0;
  if (!(lossDifference <= TOLERANCE && gradientDifference <= TOLERANCE)) {
    throw new Error(`computes something else: loss ${loss}, expected ${expected?.loss}`);
  }
  const steps = repeat(() => lossOf(ready.step()));
  const run = async (repetitions: number) => {
    await ready.select();
    return steps(repetitions);
  };
  const warm = performance.now();
  const callsPerRound = await warmUp({ run }, PACE);
  const measured = {
    loss,
    lossDifference,
    gradientDifference,
    firstCall,
    warmUp: performance.now() - warm,
    callsPerRound,
    times: [],
  };
  return { answer, run, measured };
}

/** Waits for an answer only if it is not there yet. */
function lossOf(answer: Answer | Promise<Answer>): number | Promise<number> {
  return 'loss' in answer ? answer.loss : answer.then(({ loss }) => loss);
}

/** Returns the largest difference between arrays, relative to the largest expected element. */
function largestDifference(values: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (values.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(values[i]! - expected[i]!)); // keeps NaN
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return difference / largest;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
