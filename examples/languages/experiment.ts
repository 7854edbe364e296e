import { gatherRows } from '../shared/batches.js';
import { Random } from '../shared/random.js';
import type { Method } from '../shared/training.js';
import { LANGUAGE_NAMES, split } from './messages.js';
import { prepareLesson, teachStudent } from './training.js';

export interface Settings {
  /** At most so many of the compiler's messages, each in all languages. */
  readonly messages: number;
  readonly heldOutFraction: number;
  readonly steps: number;
  /** One split of the messages, and one student of each kind, for each seed. */
  readonly seeds: readonly number[];
}

export function chooseSettings(quick: boolean, seed: number): Settings {
  return {
    messages: quick ? 200 : Number.POSITIVE_INFINITY,
    heldOutFraction: 0.25,
    steps: quick ? 400 : 2000,
    seeds: quick ? [seed] : [seed, seed + 1, seed + 2],
  };
}

/** Judges the logits of a model for the held-out sentences, beside the teacher's and the languages that they are in. */
export type Judge<Score> = (
  logits: Float32Array,
  teacher: Float32Array,
  languages: Int32Array,
) => Score;

export interface Results<Score> {
  readonly training: number;
  readonly heldOut: number;
  /** An entry for each seed: their held-out sentences differ. */
  readonly teacher: readonly Score[];
  readonly students: readonly { readonly method: string; readonly scores: readonly Score[] }[];
}

/** Teaches a student by each method for each seed, and judges them. */
export function runExperiment<Score>(
  methods: readonly Method[],
  judge: Judge<Score>,
  settings: Settings,
): Results<Score> {
  const lesson = prepareLesson(settings.messages);
  const runs = settings.seeds.map((seed) => {
    const random = new Random(seed, 'split');
    const { training, heldOut } = split(lesson, settings.heldOutFraction, random);
    const sentences = Array.from(heldOut, (index) => lesson.features[index]!);
    const languages = heldOut.map((index) => lesson.labels[index]!);
    const teacher = gatherRows(lesson.teacherLogits, LANGUAGE_NAMES.length, heldOut);
    return {
      training: training.length,
      heldOut: heldOut.length,
      teacher: judge(teacher, teacher, languages),
      students: methods.map((method) => {
        const student = teachStudent(method, lesson, training, settings.steps, seed);
        return judge(student.forward(sentences), teacher, languages);
      }),
    };
  });
  return {
    training: runs[0]!.training,
    heldOut: runs[0]!.heldOut,
    teacher: runs.map(({ teacher }) => teacher),
    students: methods.map(({ name }, index) => ({
      method: name,
      scores: runs.map(({ students }) => students[index]!),
    })),
  };
}
