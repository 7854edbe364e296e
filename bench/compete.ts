/** Each contestant runs at least so long in each round, in milliseconds. */
const ROUND = 50;
/** Who needs longer than this for one step takes part in the first rounds only. */
const SLOW = 400;
const ROUNDS_OF_THE_SLOW = 3;

/** Somebody who can take the step of a problem. */
export interface Contestant<Problem> {
  readonly name: string;
  /** Readies the problem, or is `undefined` where the contestant cannot do it. */
  readonly prepare: (problem: Problem) => Promise<Prepared | undefined>;
}

export interface Prepared {
  /** The loss, so that all can be seen to compute the same; left out where nobody else does. */
  readonly loss?: number;
  /** Takes the step so many times and returns the milliseconds. */
  readonly run: (repetitions: number) => Promise<number>;
  readonly dispose?: () => void;
}

/** A contestant of this process: `step` takes the step once and returns the loss. */
export async function prepared(
  step: () => number | Promise<number>,
  dispose?: () => void,
): Promise<Prepared> {
  const loss = await step();
  const run = async (repetitions: number) => {
    const start = performance.now();
    for (let i = 0; i < repetitions; i++) {
      const result = step();
      if (typeof result !== 'number') await result;
    }
    return performance.now() - start;
  };
  return { loss, run, ...(dispose && { dispose }) };
}

/** What each contestant needed for one step in each round, in milliseconds, by its name. */
export type Timings = ReadonlyMap<string, readonly number[]>;

/** All contestants in turn, round after round, so that a machine that slows down slows them all. */
export async function compete<Problem>(
  contestants: readonly Contestant<Problem>[],
  problem: Problem,
  rounds: number,
): Promise<Timings> {
  const ready: { name: string; prepared: Prepared; repetitions: number; times: number[] }[] = [];
  for (const { name, prepare } of contestants) {
    const prepared = await prepare(problem);
    if (!prepared) continue;
    let once = await prepared.run(1);
    // Until the code is compiled.
    for (let spent = once; spent < 4 * ROUND; spent += once) once = await prepared.run(1);
    once = (await prepared.run(3)) / 3;
    const repetitions = Math.max(1, Math.ceil(ROUND / once));
    ready.push({ name, prepared, repetitions, times: [] });
  }
  const losses = ready.flatMap(({ prepared }) => prepared.loss ?? []);
  // TensorFlow.js sums 151,936 terms in float32, and is off by up to half a thousandth.
  if (losses.some((loss) => !(Math.abs(loss / losses[0]! - 1) <= 2e-3))) {
    throw new Error(`the contestants do not compute the same loss: ${losses.join(', ')}`);
  }
  for (let round = 0; round < rounds; round++) {
    for (const { prepared, repetitions, times } of ready) {
      if (round >= ROUNDS_OF_THE_SLOW && times[0]! > SLOW) continue;
      times.push((await prepared.run(repetitions)) / repetitions);
    }
  }
  for (const { prepared } of ready) prepared.dispose?.();
  return new Map(ready.map(({ name, times }) => [name, times]));
}

/**
 * What a contestant needed, in so many milliseconds, and how many times as fast as the baseline that is; nothing where it did
 * not take part.
 */
export function cell(timings: Timings, name: string, baseline?: string, unit = 1): string {
  const own = timings.get(name);
  if (!own) return '';
  const time = (median(own) / unit).toPrecision(3);
  const reference = baseline === undefined ? undefined : timings.get(baseline);
  if (!reference || name === baseline) return time;
  const ratio = median(own.map((needed, round) => reference[round]! / needed));
  return `${time} (${ratio.toPrecision(2)}×)`;
}

/** A table with a line for each name, and no line where all its cells are empty. */
export function table(
  heads: readonly string[],
  names: readonly string[],
  cells: (name: string) => readonly string[],
): string[] {
  const line = (entries: readonly string[]) => `| ${entries.join(' | ')} |`;
  const lines = names.map((name) => [name, ...cells(name)]);
  return [
    line(heads),
    `|${'---|'.repeat(heads.length)}`,
    ...lines.filter(([, ...rest]) => rest.some((entry) => entry !== '')).map(line),
  ];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
