import { Presets, SingleBar } from 'cli-progress';

/** A phase of known length: a bar on a terminal, one line at its end elsewhere. */
export class Phase {
  readonly #bar: SingleBar | undefined;
  readonly #name: string;
  readonly #start = performance.now();

  constructor(name: string, steps: number) {
    this.#name = name;
    if (!process.stdout.isTTY) return;
    const format = '{name} [{bar}] {value}/{total}  {result}';
    this.#bar = new SingleBar({ format, hideCursor: true }, Presets.rect);
    this.#bar.start(steps, 0, { name: name.padEnd(NAME_WIDTH), result: '' });
  }

  /** `step` steps are done. */
  update(step: number): void {
    this.#bar?.update(step);
  }

  finish(result: string): void {
    this.#bar?.update({ result });
    this.#bar?.stop();
    if (this.#bar) return;
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(1);
    console.log(`${this.#name.padEnd(NAME_WIDTH)} ${result} (${seconds} s)`);
  }
}

const NAME_WIDTH = 40;
