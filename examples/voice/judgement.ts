import { BANDS } from './detector/features.js';
import type { Student } from './detector/layout.js';
import { Model, sigmoid } from './detector/model.js';
import type { Lesson } from './lesson.js';
import { decide, type Fit, fitTo } from './scores.js';

/** How well a detector fits the teacher's decisions, and the truth. */
interface Judgement {
  readonly teacher: Fit;
  readonly truth: Fit;
}

/** The judgement of all scenes, and of the scenes of each language and of each background. */
export type Judgements = Readonly<Record<string, Judgement>>;

/** The name of the judgement of all scenes. */
export const ALL = 'all scenes';

/** Returns a student's probability of speech in each frame, by the code that the page runs. */
export function listen(student: Student, { bands, frames, truth }: Lesson): Float32Array {
  const model = new Model(student);
  return Float32Array.from({ length: truth.length }, (_, frame) => {
    if (frame % frames === 0) model.reset();
    return sigmoid(model.step(bands, frame * BANDS));
  });
}

/** Judges the probabilities of speech in all frames of a lesson. */
export function judge(heard: Float32Array, lesson: Lesson): Judgements {
  const { subjects, frames, truth } = lesson;
  const said = Uint8Array.from(lesson.teacher, decide);
  const groups = new Map<string, number[]>();
  subjects.forEach(({ language, background }, scene) => {
    for (const name of [ALL, language, background]) {
      groups.set(name, [...(groups.get(name) ?? []), scene]);
    }
  });
  const judgements = Array.from(groups, ([name, scenes]) => {
    const indices = scenes.flatMap((scene) =>
      Array.from({ length: frames }, (_, frame) => scene * frames + frame),
    );
    const probabilities = Float32Array.from(indices, (index) => heard[index]!);
    const fit = (decisions: Uint8Array) =>
      fitTo(
        indices.map((index) => decisions[index]!),
        probabilities,
      );
    return [name, { teacher: fit(said), truth: fit(truth) }];
  });
  return Object.fromEntries(judgements);
}
