/** Returns the seeds of a run: three in a row, or only the first in a quick run. */
export function seedsFrom(first: number, quick: boolean): readonly number[] {
  return quick ? [first] : [first, first + 1, first + 2];
}

/**
 * A seeded stream of random numbers (mulberry32). The same seed gives the same run. Streams with
 * different names are independent: more draws from one do not change another.
 */
export class Random {
  #state: number;

  constructor(seed: number, stream: string) {
    this.#state = seed >>> 0;
    for (let i = 0; i < stream.length; i++) {
      this.#state = Math.imul(this.#state ^ stream.charCodeAt(i), 0x01000193) >>> 0;
    }
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Standard normal, by the transform of Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Returns an integer in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** Shuffles in place (Fisher and Yates). */
  shuffle(values: Int32Array): Int32Array {
    for (let last = values.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const value = values[last]!;
      values[last] = values[other]!;
      values[other] = value;
    }
    return values;
  }
}
