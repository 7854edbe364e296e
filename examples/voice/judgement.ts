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
  const { subjects, truth } = lesson;
  const said = Uint8Array.from(lesson.teacher, decide);
  const languages = subjects.map(({ language }) => language);
  const backgrounds = subjects.map(({ background }) => background);
  const judgements = Array.from(new Set([ALL, ...languages, ...backgrounds]), (kind) => {
    const indices = framesOf(lesson, kind);
    const probabilities = Float32Array.from(indices, (index) => heard[index]!);
    const fit = (decisions: Uint8Array) =>
      fitTo(
        indices.map((index) => decisions[index]!),
        probabilities,
      );
    return [kind, { teacher: fit(said), truth: fit(truth) }];
  });
  return Object.fromEntries(judgements);
}

/** Returns the frames of all scenes, or of the scenes with a language or a background. */
function framesOf({ subjects, frames }: Lesson, kind: string): readonly number[] {
  return subjects.flatMap(({ language, background }, scene) =>
    [ALL, language, background].includes(kind)
      ? Array.from({ length: frames }, (_, frame) => scene * frames + frame)
      : [],
  );
}
