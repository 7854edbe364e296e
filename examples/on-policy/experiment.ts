import { startBackend } from '../digits/backend.js';
import { Random, seedsFrom } from '../shared/random.js';
import type { Pace } from '../shared/training.js';
import { decode, evenlySpaced, makeCorpus } from './corpus.js';
import { judge, type Scores } from './evaluation.js';
import { type Method, WARM_UP } from './methods.js';
import { LanguageModel, type ModelSize } from './model.js';
import { continueSequences } from './sampling.js';
import { LENGTH, PROMPT, teachStudent, trainTeacher } from './training.js';

export interface Settings {
  readonly seeds: readonly number[];
  readonly teacher: { readonly size: ModelSize; readonly pace: Pace };
  readonly student: { readonly size: ModelSize; readonly warmUp: Pace; readonly pace: Pace };
  /** Number of held-out sequences in the evaluation. */
  readonly heldOut: number;
}

export function chooseSettings(quick: boolean, seed: number): Settings {
  return {
    seeds: seedsFrom(seed, quick),
    teacher: {
      size: { layers: 5, width: 64 },
      pace: { steps: quick ? 30 : 2000, batch: 8, learningRate: 0.003 },
    },
    student: {
      size: { layers: 2, width: 16 },
      warmUp: { steps: quick ? 30 : 600, batch: 8, learningRate: 0.01 },
      pace: { steps: quick ? 20 : 500, batch: 8, learningRate: 0.003 },
    },
    heldOut: quick ? 16 : 256,
  };
}

/** A model and its scores. */
export interface Run {
  readonly name: string;
  readonly scores: Scores;
  /** Processor time of a step in milliseconds; NaN for a model that no method has taught. */
  readonly stepTime: number;
  /** The text that the model wrote after the first held-out prompt. */
  readonly text: string;
}

export interface Results {
  readonly parameters: { readonly teacher: number; readonly student: number };
  readonly runs: readonly Run[];
}

/**
 * Trains one teacher on a book. For each seed, warms up a student and teaches a copy of it by each
 * method.
 */
export async function runExperiment(
  book: string,
  methods: readonly Method[],
  settings: Settings,
): Promise<Results> {
  await startBackend();
  const { characters, training, heldOut } = makeCorpus(book);
  const read = evenlySpaced(heldOut, settings.heldOut, LENGTH);
  const [firstSeed = 1] = settings.seeds;
  const create = (size: ModelSize, seed: number, name: string) =>
    LanguageModel.create(characters.length, size, new Random(seed, name));
  const teacher = create(settings.teacher.size, firstSeed, 'teacher');
  trainTeacher(teacher, training, settings.teacher.pace, firstSeed);

  const run = (name: string, model: LanguageModel, seed: number, stepTime = Number.NaN): Run => {
    const random = new Random(seed, 'judged');
    const written = continueSequences(model, read, LENGTH, PROMPT, random);
    const text = decode(written.subarray(0, LENGTH), characters);
    return { name, scores: judge(model, teacher, read, written), stepTime, text };
  };
  const runs = [run('teacher', teacher, firstSeed)];
  for (const seed of settings.seeds) {
    const start = create(settings.student.size, seed, 'student');
    teachStudent(WARM_UP, { student: start, teacher }, training, settings.student.warmUp, seed);
    runs.push(run(WARM_UP.name, start, seed));
    for (const method of methods) {
      const student = start.clone();
      const pace = settings.student.pace;
      const stepTime = teachStudent(method, { student, teacher }, training, pace, seed);
      runs.push(run(method.name, student, seed, stepTime));
    }
  }
  const { parameterCount: student } = create(settings.student.size, firstSeed, 'student');
  return { parameters: { teacher: teacher.parameterCount, student }, runs };
}
