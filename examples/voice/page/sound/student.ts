import { weights } from 'virtual:assets';
import { BANDS, FRAME, LogMel } from '../../detector/features.js';
import type { Student } from '../../detector/layout.js';
import { Model, sigmoid } from '../../detector/model.js';
import { decode } from '../../detector/weights.js';

/** Loads the student. */
export async function loadStudent(): Promise<Student> {
  const response = await fetch(weights.url);
  return decode(new Uint8Array(await response.arrayBuffer()));
}

/** Returns the student's probability of speech in each whole frame of a sound of 16 kHz. */
export function listenTo(sound: Float32Array, student: Student): Float32Array {
  const mel = new LogMel();
  const model = new Model(student);
  const bands = new Float32Array(BANDS);
  return Float32Array.from({ length: Math.floor(sound.length / FRAME) }, (_, frame) => {
    mel.write(sound, frame * FRAME, bands, 0);
    return sigmoid(model.step(bands));
  });
}

/** Frames of the measurement: enough for the engine to compile the loops before they end. */
const MEASURED = 200;

/** Returns the milliseconds that the student takes for a frame in this browser. */
export function measure(student: Student): number {
  const sound = Float32Array.from({ length: MEASURED * FRAME }, (_, i) => Math.sin(i * i) / 100);
  listenTo(sound, student);
  const start = performance.now();
  listenTo(sound, student);
  return (performance.now() - start) / MEASURED;
}
