/** How long a contestant runs, in milliseconds. */
export interface Pace {
  /** Warm-up of each contestant: until V8 has optimised its code. */
  readonly warmUp: number;
  /** Minimum time of each contestant in each round. */
  readonly round: number;
}

const PACE: Pace = { warmUp: 400, round: 30 };
/** Browsers round their clock to this many milliseconds: a short run may seem to take none. */
const CLOCK = 0.1;
/**
 * A contestant whose step takes longer than this, in milliseconds, runs in the first rounds only.
 */
const SLOW = 400;
const ROUNDS_OF_THE_SLOW = 3;

/** One implementation of a step, in this process or in another. */
export interface Contestant<Problem> {
  readonly name: string;
  /**
   * Prepares the problem. Returns the reason if that fails, and `undefined` if the contestant does
   * not take part.
   */
  readonly prepare: (problem: Problem) => Promise<Prepared | Failure | undefined>;
}

export interface Prepared {
  /** The loss, to compare with the losses of the others; undefined if it is a different loss. */
  readonly loss?: number;
  /** Footnote of the cell in the table. */
  readonly note?: string;
  /** Takes `repetitions` steps and returns the milliseconds that they took. */
  readonly run: (repetitions: number) => Promise<number>;
  readonly dispose?: () => void;
}

export interface Failure {
  readonly failed: string;
}

/** The time of one step in each round, in milliseconds. */
export interface Times {
  readonly note?: string;
  readonly times: readonly number[];
}

/** The times or the failure of each contestant, by its name. */
export type Timings = ReadonlyMap<string, Times | Failure>;

export interface Rules {
  readonly rounds: number;
  /** Largest relative difference between a loss and the first one. */
  readonly tolerance: number;
}

/** Prepares a contestant of this process: `step` takes one step and returns the loss. */
export async function prepared(
  step: () => number | Promise<number>,
  dispose?: () => void,
): Promise<Prepared> {
  return { loss: await step(), run: repeat(step), ...(dispose && { dispose }) };
}

/** Returns a function that takes a step repeatedly, and returns the milliseconds. */
export function repeat(step: () => number | Promise<number>): Prepared['run'] {
  return async (repetitions) => {
    const start = performance.now();
    for (let i = 0; i < repetitions; i++) {
      const result = step();
      if (typeof result !== 'number') await result;
    }
    return performance.now() - start;
  };
}

/**
 * Runs all contestants in turn, round after round, so that a machine that slows down affects all of
 * them.
 */
export async function compete<Problem>(
  contestants: readonly Contestant<Problem>[],
  problem: Problem,
  { rounds, tolerance }: Rules,
): Promise<Timings> {
  const timings = new Map<string, Times | Failure>();
  const ready: { prepared: Prepared; repetitions: number; times: number[] }[] = [];
  let expected: { name: string; loss: number } | undefined;
  for (const { name, prepare } of contestants) {
    const prepared = await prepare(problem);
    if (!prepared) continue;
    if ('failed' in prepared) {
      timings.set(name, prepared);
      continue;
    }
    const { loss, note } = prepared;
    if (loss !== undefined) {
      expected ??= { name, loss };
      if (!(Math.abs(loss - expected.loss) <= tolerance * Math.abs(expected.loss))) {
        const other = `${expected.name} computes ${expected.loss}`;
        throw new Error(`losses differ: ${other}, ${name} computes ${loss}`);
      }
    }
    const times: number[] = [];
    ready.push({ prepared, repetitions: await warmUp(prepared, PACE), times });
    timings.set(name, { times, ...(note !== undefined && { note }) });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { prepared, repetitions, times } of ready) {
      if (round >= ROUNDS_OF_THE_SLOW && times[0]! > SLOW) continue;
      times.push((await prepared.run(repetitions)) / repetitions);
    }
  }
  for (const { prepared } of ready) prepared.dispose?.();
  return timings;
}

/**
 * Runs a contestant until its code is optimised, and returns the number of steps that fill a round.
 */
export async function warmUp({ run }: Pick<Prepared, 'run'>, pace: Pace): Promise<number> {
  let repetitions = 1;
  let needed = await run(1);
  for (let spent = needed; spent < pace.warmUp; spent += needed) {
    repetitions = stepsOf(pace.round, repetitions, needed);
    needed = await run(repetitions);
  }
  return stepsOf(pace.round, repetitions, needed);
}

/** Number of steps that fill a round, where `repetitions` steps needed some milliseconds. */
function stepsOf(round: number, repetitions: number, needed: number): number {
  return Math.max(1, Math.ceil((repetitions * round) / Math.max(needed, CLOCK)));
}
