import { BANDS, FRAME, LogMel } from './detector/features.js';
import type { Student } from './detector/layout.js';
import { Model } from './detector/model.js';
import { mixScenes, type Plan } from './scenes.js';
import { Teacher } from './teacher.js';

/** Milliseconds of one core for a frame of 32 ms. */
export interface Speed {
  readonly teacher: number;
  readonly student: number;
}

/** Times each detector hears the scene; the fastest time counts. */
const ROUNDS = 5;

/** Measures both detectors by turns on one scene, frame by frame, as they hear a microphone. */
export async function measureSpeed(student: Student, plan: Plan): Promise<Speed> {
  const [scene] = mixScenes(plan);
  const { sound } = scene!;
  const frames = sound.length / FRAME;
  const teacher = await Teacher.open();
  const fastest = { teacher: Number.POSITIVE_INFINITY, student: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round++) {
    let start = performance.now();
    await teacher.listen([sound]);
    fastest.teacher = Math.min(fastest.teacher, (performance.now() - start) / frames);
    start = performance.now();
    hear(student, sound);
    fastest.student = Math.min(fastest.student, (performance.now() - start) / frames);
  }
  return fastest;
}

/** Runs a student on the frames of a sound, features and network. */
function hear(student: Student, sound: Float32Array): void {
  const mel = new LogMel();
  const model = new Model(student);
  const bands = new Float32Array(BANDS);
  for (let start = 0; start < sound.length; start += FRAME) {
    mel.write(sound, start, bands, 0);
    model.step(bands);
  }
}
