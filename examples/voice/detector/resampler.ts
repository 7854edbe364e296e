import { REACH, windowedSinc } from './sinc.js';

/** Where the low pass ends, as a part of the lower of both Nyquist frequencies. */
const PASSED = 0.92;

/**
 * Converts a stream of samples from one rate to another: a sinc under a Hann window, which is also
 * the low pass that keeps out what the lower rate cannot carry. The output is late by half the
 * window: 0.7 ms between 48 and 16 kHz. Nothing is allocated after the constructor.
 */
export class Resampler {
  /** Distance between input samples, and between output samples, in units of the finer grid. */
  readonly #input: number;
  readonly #output: number;
  /** The weights of the last inputs for each place of an output between two of them. */
  readonly #kernels: readonly Float32Array[];
  /** The last inputs, twice in a row, so that they can be read without a jump. */
  readonly #past: Float32Array;
  #newest = 0;
  #next = 0;

  constructor(from: number, to: number) {
    const divisor = greatestCommonDivisor(from, to);
    this.#input = to / divisor;
    this.#output = from / divisor;
    const cutoff = PASSED * Math.min(1, to / from);
    const taps = 2 * Math.ceil(REACH / cutoff);
    this.#past = new Float32Array(2 * taps);
    this.#kernels = Array.from({ length: this.#input }, (_, phase) =>
      kernel(taps, cutoff, phase / this.#input),
    );
  }

  /** Takes the next samples, and hands on each sample of the other rate that is then complete. */
  push(samples: Float32Array, take: (sample: number) => void): void {
    const taps = this.#past.length / 2;
    for (let i = 0; i < samples.length; i++) {
      this.#past[this.#newest] = samples[i]!;
      this.#past[this.#newest + taps] = samples[i]!;
      this.#newest = (this.#newest + 1) % taps;
      for (; this.#next < this.#input; this.#next += this.#output) take(this.#at(this.#next));
      this.#next -= this.#input;
    }
  }

  /** Returns the output at a place between the two inputs in the middle of the window. */
  #at(phase: number): number {
    const weights = this.#kernels[phase]!;
    let sum = 0;
    for (let i = 0; i < weights.length; i++) sum += weights[i]! * this.#past[this.#newest + i]!;
    return sum;
  }
}

/** Returns weights that sum to 1: silence stays silence, and a constant stays the same. */
function kernel(taps: number, cutoff: number, phase: number): Float32Array {
  const weights = Float64Array.from({ length: taps }, (_, i) => {
    const distance = i - (taps / 2 - 1) - phase;
    return windowedSinc(distance, cutoff, taps + 2);
  });
  const sum = weights.reduce((total, weight) => total + weight);
  return Float32Array.from(weights, (weight) => weight / sum);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
