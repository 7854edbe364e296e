/**
 * Uniform numbers in [0, 1), the same on every machine for the same seed (the splitmix32 generator). Its state is the seed
 * of a generator that goes on from there.
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

/** The numbers of a {@link Generator}. */
export function uniform(seed: number): () => number {
  const generator = new Generator(seed);
  return () => generator.next();
}
