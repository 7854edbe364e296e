import { Presets, SingleBar } from 'cli-progress';

/** Milliseconds between two lines of output without a terminal. */
const PAUSE = 10_000;
const NAME_WIDTH = 40;

/** Characters of a bar: a line of 80 has room for the text beside it. */
const BAR_WIDTH = 20;

/** Creates a progress bar that leaves the terminal intact however the process ends. */
export function createBar(format: string): SingleBar {
  const options = { format, barsize: BAR_WIDTH, hideCursor: false, linewrap: true };
  return new SingleBar(options, Presets.rect);
}

/** Limits lines of output to one per {@link PAUSE}. */
export class Pace {
  #last = performance.now();

  isDue(): boolean {
    const now = performance.now();
    if (now - this.#last < PAUSE) return false;
    this.#last = now;
    return true;
  }
}

/**
 * A phase with a known number of steps: a progress bar on a terminal; elsewhere a line from time to
 * time and one at the end.
 */
export class Phase {
  readonly #bar: SingleBar | undefined;
  readonly #name: string;
  readonly #steps: number;
  readonly #start = performance.now();
  readonly #pace = new Pace();

  constructor(name: string, steps: number) {
    this.#name = name;
    this.#steps = steps;
    if (!process.stdout.isTTY) return;
    this.#bar = createBar('{name} [{bar}] {value}/{total}  {result}');
    this.#bar.start(steps, 0, { name: name.padEnd(NAME_WIDTH), result: '' });
  }

  /** Reports that `step` steps are completed. */
  update(step: number): void {
    this.#bar?.update(step);
    if (this.#bar || !this.#pace.isDue()) return;
    console.log(`${this.#name.padEnd(NAME_WIDTH)} ${Math.round((100 * step) / this.#steps)} %`);
  }

  finish(result: string): void {
    this.#bar?.update({ result });
    this.#bar?.stop();
    if (this.#bar) return;
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(1);
    console.log(`${this.#name.padEnd(NAME_WIDTH)} ${result} (${seconds} s)`);
  }
}
