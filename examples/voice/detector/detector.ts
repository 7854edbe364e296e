import { BANDS, FRAME, LogMel, SAMPLE_RATE } from './features.js';
import type { Student } from './layout.js';
import { Model, sigmoid } from './model.js';
import { Resampler } from './resampler.js';

/** Returns the probability of speech in each whole frame of a sound of 16 kHz. */
export function listenTo(sound: Float32Array, student: Student): Float32Array {
  const mel = new LogMel();
  const model = new Model(student);
  const bands = new Float32Array(BANDS);
  return Float32Array.from({ length: Math.floor(sound.length / FRAME) }, (_, frame) => {
    mel.write(sound, frame * FRAME, bands, 0);
    return sigmoid(model.step(bands));
  });
}

/** Listens to samples of any rate, and tells the probability of speech of each frame. */
export class Detector {
  readonly #resampler: Resampler;
  readonly #mel = new LogMel();
  readonly #model: Model;
  readonly #bands = new Float32Array(BANDS);
  readonly #frame = new Float32Array(FRAME);
  readonly #heard: (probability: number, frame: Float32Array) => void;
  #filled = 0;

  /**
   * @param rate Samples a second of the stream.
   * @param heard Called for each frame with the probability of speech and with the frame's samples
   *   at 16 kHz, which the next frame overwrites.
   */
  constructor(
    student: Student,
    rate: number,
    heard: (probability: number, frame: Float32Array) => void,
  ) {
    this.#model = new Model(student);
    this.#resampler = new Resampler(rate, SAMPLE_RATE);
    this.#heard = heard;
  }

  /** Takes the next samples, of any number. */
  push(samples: Float32Array): void {
    this.#resampler.push(samples, this.#take);
  }

  readonly #take = (sample: number): void => {
    this.#frame[this.#filled++] = sample;
    if (this.#filled < FRAME) return;
    this.#filled = 0;
    this.#mel.write(this.#frame, 0, this.#bands, 0);
    this.#heard(sigmoid(this.#model.step(this.#bands)), this.#frame);
  };
}
