import { Presets, SingleBar } from 'cli-progress';

/** Milliseconds between two lines where there is no terminal. */
const PAUSE = 10_000;
const NAME_WIDTH = 40;

/** Characters of a bar: a line of 80 has room for what is said beside it. */
const BAR_WIDTH = 20;

/** A bar that leaves the terminal as it is, whatever ends the process. */
export function createBar(format: string): SingleBar {
  const options = { format, barsize: BAR_WIDTH, hideCursor: false, linewrap: true };
  return new SingleBar(options, Presets.rect);
}

/** Says whether it is time for a line again. */
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
 * A phase of known length: a bar on a terminal, a line now and then and one at its end elsewhere.
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

  /** `step` steps are done. */
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
