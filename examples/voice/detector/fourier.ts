/**
 * The power spectrum of frames of one size, a power of two. Two real samples make one complex
 * number, so that the transform is half as long as the frame.
 */
export class PowerSpectrum {
  readonly bins: number;
  readonly #half: number;
  readonly #real: Float64Array;
  readonly #imaginary: Float64Array;
  readonly #order: Uint16Array;
  readonly #cosines: Float64Array;
  readonly #sines: Float64Array;

  constructor(size: number) {
    this.#half = size / 2;
    this.bins = this.#half + 1;
    this.#real = new Float64Array(this.#half);
    this.#imaginary = new Float64Array(this.#half);
    this.#order = reversedBits(this.#half);
    const angles = Float64Array.from({ length: this.#half }, (_, k) => (-2 * Math.PI * k) / size);
    this.#cosines = angles.map(Math.cos);
    this.#sines = angles.map(Math.sin);
  }

  /** Writes |DFT|² of a real frame: `power[k]` belongs to k periods a frame, up to size / 2. */
  write(frame: ArrayLike<number>, power: Float64Array): void {
    for (let i = 0; i < this.#half; i++) {
      const place = this.#order[i]!;
      this.#real[place] = frame[2 * i]!;
      this.#imaginary[place] = frame[2 * i + 1]!;
    }
    for (let span = 1; span < this.#half; span *= 2) this.#merge(span);
    this.#separate(power);
  }

  /** Merges transforms of length `span`, two by two, into transforms of twice the length. */
  #merge(span: number): void {
    const [real, imaginary] = [this.#real, this.#imaginary];
    const stride = this.#half / span; // the table has the angles of the full frame
    for (let k = 0; k < span; k++) {
      const cosine = this.#cosines[k * stride]!;
      const sine = this.#sines[k * stride]!;
      for (let low = k; low < this.#half; low += 2 * span) {
        const high = low + span;
        const x = real[high]! * cosine - imaginary[high]! * sine;
        const y = real[high]! * sine + imaginary[high]! * cosine;
        real[high] = real[low]! - x;
        imaginary[high] = imaginary[low]! - y;
        real[low] = real[low]! + x;
        imaginary[low] = imaginary[low]! + y;
      }
    }
  }

  /** Separates the spectra of the even and the odd samples, and joins them into the frame's. */
  #separate(power: Float64Array): void {
    const [real, imaginary, half] = [this.#real, this.#imaginary, this.#half];
    power[0] = (real[0]! + imaginary[0]!) ** 2;
    power[half] = (real[0]! - imaginary[0]!) ** 2;
    for (let k = 1; k < half; k++) {
      const evenReal = (real[k]! + real[half - k]!) / 2;
      const evenImaginary = (imaginary[k]! - imaginary[half - k]!) / 2;
      const oddReal = (imaginary[k]! + imaginary[half - k]!) / 2;
      const oddImaginary = (real[half - k]! - real[k]!) / 2;
      const x = evenReal + oddReal * this.#cosines[k]! - oddImaginary * this.#sines[k]!;
      const y = evenImaginary + oddReal * this.#sines[k]! + oddImaginary * this.#cosines[k]!;
      power[k] = x * x + y * y;
    }
  }
}

/** Returns the index that each index has once its bits are read from the other end. */
function reversedBits(length: number): Uint16Array {
  const reversed = new Uint16Array(length);
  for (let i = 1; i < length; i++) {
    reversed[i] = reversed[i >> 1]! / 2 + (i % 2 === 1 ? length / 2 : 0);
  }
  return reversed;
}
