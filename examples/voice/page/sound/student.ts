import { weights } from 'virtual:assets';
import { listenTo } from '../../detector/detector.js';
import { FRAME } from '../../detector/features.js';
import type { Student } from '../../detector/layout.js';
import { decode } from '../../detector/weights.js';
import { download } from './download.js';

/** Loads the student. */
export async function loadStudent(): Promise<Student> {
  return decode(await download(weights.url));
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
