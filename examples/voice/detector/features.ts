import { PowerSpectrum } from './fourier.js';

/** Samples a second of the sound. The teacher hears the same samples. */
export const SAMPLE_RATE = 16_000;

/** Samples of a frame, 32 ms: teacher and student answer once a frame. Frames do not overlap. */
export const FRAME = 512;

/** Seconds of a frame. */
export const FRAME_SECONDS: number = FRAME / SAMPLE_RATE;

/** Numbers that the student gets for a frame. */
export const BANDS = 32;

/**
 * Hertz of the lowest and of the highest band's outer edge. The student learns from recordings of
 * 8 kHz, which have nothing above 4 kHz: it must not hear there with a microphone, either.
 */
const LOWEST = 60;
const HIGHEST = 3_800;

/** Power that is added to a band, −80 dB of full scale: digital silence has a logarithm, too. */
const FLOOR = 1e-8;

/** Logarithms of speech and its pauses become about −2 to 2. */
const CENTRE = -11;
const SCALE = 4;

/**
 * Computes the log-mel bands of single frames, without memory of earlier ones:
 *
 *     power = |DFT(Hann · frame)|² / Σ Hann²
 *     band  = (ln(Σ triangle · power + FLOOR) − CENTRE) / SCALE
 *
 * The triangles are evenly spaced on the mel scale, 2595 log₁₀(1 + f / 700). Each triangle sums
 * to 1, so that white noise has its variance in every band.
 */
export class LogMel {
  readonly #spectrum = new PowerSpectrum(FRAME);
  readonly #window = hann(FRAME);
  readonly #windowed = new Float64Array(FRAME);
  readonly #power = new Float64Array(this.#spectrum.bins);
  readonly #triangles = Array.from({ length: BANDS }, (_, band) => triangle(band));

  /** Writes the bands of `samples[start]` … `samples[start + 511]` to `bands[offset]` and on. */
  write(samples: Float32Array, start: number, bands: Float32Array, offset: number): void {
    for (let i = 0; i < FRAME; i++) this.#windowed[i] = samples[start + i]! * this.#window[i]!;
    this.#spectrum.write(this.#windowed, this.#power);
    for (let band = 0; band < BANDS; band++) {
      const { first, weights } = this.#triangles[band]!;
      let sum = FLOOR;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * this.#power[first + i]!;
      bands[offset + band] = (Math.log(sum) - CENTRE) / SCALE;
    }
  }
}

/** Returns the bands of all whole frames of a sound, a row for each frame. */
export function logMel(samples: Float32Array): Float32Array {
  const frames = Math.floor(samples.length / FRAME);
  const bands = new Float32Array(frames * BANDS);
  const mel = new LogMel();
  for (let frame = 0; frame < frames; frame++) {
    mel.write(samples, frame * FRAME, bands, frame * BANDS);
  }
  return bands;
}

/** Returns the Hann window of a size, scaled so that its squares sum to 1. */
function hann(size: number): Float64Array {
  const scale = Math.sqrt(8 / (3 * size));
  return Float64Array.from(
    { length: size },
    (_, i) => scale * Math.sin((Math.PI * (i + 0.5)) / size) ** 2,
  );
}

/** Weights of a band, from the first bin of the spectrum that has one. */
interface Triangle {
  readonly first: number;
  readonly weights: Float64Array;
}

function triangle(band: number): Triangle {
  const [left, peak, right] = [edge(band), edge(band + 1), edge(band + 2)];
  const first = Math.ceil(left);
  const weights = Float64Array.from({ length: Math.floor(right) - first + 1 }, (_, i) =>
    Math.min((first + i - left) / (peak - left), (right - first - i) / (right - peak)),
  );
  const sum = weights.reduce((total, weight) => total + weight);
  return { first, weights: weights.map((weight) => weight / sum) };
}

/** Returns where the `index`-th edge of the triangles is, in bins of the spectrum. */
function edge(index: number): number {
  const [low, high] = [mel(LOWEST), mel(HIGHEST)];
  const hertz = 700 * (10 ** ((low + ((high - low) * index) / (BANDS + 1)) / 2595) - 1);
  return (hertz * FRAME) / SAMPLE_RATE;
}

function mel(hertz: number): number {
  return 2595 * Math.log10(1 + hertz / 700);
}
