import { Phase } from '../shared/progress.js';
import { cached } from './cache.js';
import { BANDS, FRAME, logMel, SAMPLE_RATE } from './detector/features.js';
import type { Lesson } from './lesson.js';
import { listSubjects, mixScenes, type Plan, type Scene } from './scenes.js';
import { Teacher } from './teacher.js';

/** The module that decides a lesson. */
export const LESSON_MODULE = 'preparation.ts';

/** Bytes of a frame in the cache: its bands, the teacher's probability, and the truth. */
const FRAME_BYTES = 4 * BANDS + 4 + 1;

/** Mixes the scenes of a plan and asks the teacher, unless an earlier run has done so. */
export async function prepareLesson(plan: Plan): Promise<Lesson> {
  const bytes = await cached(plan.purpose, plan, [LESSON_MODULE], () => makeLesson(plan));
  const subjects = listSubjects(plan);
  const total = bytes.length / FRAME_BYTES;
  const { buffer } = new Uint8Array(bytes); // a copy, aligned for float32
  return {
    subjects,
    frames: total / subjects.length,
    bands: new Float32Array(buffer, 0, BANDS * total),
    teacher: new Float32Array(buffer, 4 * BANDS * total, total),
    truth: new Uint8Array(buffer, 4 * (BANDS + 1) * total, total),
  };
}

/** Scenes that the teacher hears at once. */
const TOGETHER = 21;

async function makeLesson(plan: Plan): Promise<Uint8Array> {
  const scenes = listSubjects(plan).length;
  const frames = Math.floor((plan.seconds * SAMPLE_RATE) / FRAME);
  const bands = new Float32Array(scenes * frames * BANDS);
  const probabilities = new Float32Array(scenes * frames);
  const truth = new Uint8Array(scenes * frames);
  const teacher = await Teacher.open();
  const phase = new Phase(`${plan.purpose} scenes and the teacher`, scenes);
  let done = 0;
  for (const group of groupsOf(mixScenes(plan), TOGETHER)) {
    const heard = await teacher.listen(group.map(({ sound }) => sound));
    group.forEach((scene, index) => {
      const first = (done + index) * frames;
      bands.set(logMel(scene.sound), first * BANDS);
      probabilities.set(heard[index]!, first);
      truth.set(scene.truth, first);
    });
    done += group.length;
    phase.update(done);
  }
  phase.finish(`${scenes} scenes of ${plan.seconds} s`);
  return Buffer.concat([new Uint8Array(bands.buffer), new Uint8Array(probabilities.buffer), truth]);
}

function* groupsOf(scenes: Iterable<Scene>, size: number): Generator<Scene[]> {
  let group: Scene[] = [];
  for (const scene of scenes) {
    group.push(scene);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
