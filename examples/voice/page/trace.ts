import { decide } from '../scores.js';

/** The answers of teacher and student to a sound, a number for each frame. */
export interface Trace {
  /** Probabilities of speech; NaN where the model has not listened. */
  readonly student: Float32Array;
  readonly teacher: Float32Array;
  /** Loudness from 0, 70 dB below full scale, to 1, 10 dB below it; NaN where there is no sound. */
  readonly loudness: Float32Array;
}

export type Who = 'teacher' | 'student';

export const WHO: readonly Who[] = ['teacher', 'student'];

/** Returns a trace of which nothing has been heard yet. */
export function emptyTrace(frames: number): Trace {
  const unheard = (): Float32Array => new Float32Array(frames).fill(Number.NaN);
  return { student: unheard(), teacher: unheard(), loudness: unheard() };
}

/** Returns how loud a frame is, as a trace has it. */
export function loudnessOf(frame: Float32Array): number {
  const power = frame.reduce((sum, sample) => sum + sample * sample, 0) / frame.length;
  return Math.max(0, Math.min(1, (10 * Math.log10(power + 1e-12) + 70) / 60));
}

/** Returns the fraction of frames on which both decide alike, if both have heard any. */
export function agreementOf({ student, teacher }: Trace): number | undefined {
  let [both, alike] = [0, 0];
  for (let frame = 0; frame < student.length; frame++) {
    if (Number.isNaN(student[frame]!) || Number.isNaN(teacher[frame]!)) continue;
    both++;
    if (decide(student[frame]!) === decide(teacher[frame]!)) alike++;
  }
  return both > 0 ? alike / both : undefined;
}
