import { REACH, windowedSinc } from './detector/sinc.js';

/** Positions between two recorded samples at which a sound can be read. */
const PHASES = 20;

/**
 * Reads a recording of 8 kHz as a sound of 16 kHz: a sinc, under a window of Hann, interpolates
 * between the recorded samples. A `speed` above 1 also shortens it and raises the voice. A position
 * advances by 10 · speed phases a sample, so that `10 * speed` must be an integer.
 */
export function resample(recording: Float32Array, speed = 1): Float32Array {
  const advance = Math.round((speed * PHASES) / 2);
  const sound = new Float32Array(Math.floor((recording.length * PHASES) / advance));
  for (let i = 0; i < sound.length; i++) {
    const position = i * advance;
    const middle = Math.floor(position / PHASES);
    const kernel = KERNELS[position % PHASES]!;
    const first = Math.max(0, middle - REACH + 1);
    const last = Math.min(recording.length - 1, middle + REACH);
    let sum = 0;
    for (let j = first; j <= last; j++) sum += kernel[j - middle + REACH - 1]! * recording[j]!;
    sound[i] = sum;
  }
  return sound;
}

/** The weights of the recorded samples around a position, for each phase. */
const KERNELS: readonly Float32Array[] = Array.from({ length: PHASES }, (_, phase) =>
  Float32Array.from({ length: 2 * REACH }, (_, tap) => {
    const distance = tap - REACH + 1 - phase / PHASES;
    return windowedSinc(distance, 1, 2 * REACH);
  }),
);
