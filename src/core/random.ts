/**
 * Generates uniform random numbers in [0, 1) by splitmix32. A seed gives the same numbers on every
 * machine. A new generator whose seed is the `state` of another one continues its sequence.
 */
export class Generator {
  state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  next(): number {
    this.state = (this.state + 0x9e3779b9) | 0;
    let z = this.state ^ (this.state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    z ^= z >>> 15;
    return (z >>> 0) / 2 ** 32;
  }
}

/** Returns a function that draws uniform random numbers in [0, 1) from a new {@link Generator}. */
export function uniform(seed: number): () => number {
  const generator = new Generator(seed);
  return () => generator.next();
}

/** Shuffles in place (Fisher and Yates). */
export function shuffle<V>(
  values: { readonly length: number; [i: number]: V },
  random: () => number,
): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const value = values[last]!;
    values[last] = values[other]!;
    values[other] = value;
  }
}
