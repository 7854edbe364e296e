import { statSync } from 'node:fs';
import { seedsFrom } from '../shared/random.js';
import { cached } from './cache.js';
import { countParameters, QUICK_STUDENT, STUDENT, type Student } from './detector/layout.js';
import { decode, encode } from './detector/weights.js';
import { judge, listen } from './judgement.js';
import type { Lesson } from './lesson.js';
import { METHODS, type Method } from './methods.js';
import { LESSON_MODULE, prepareLesson } from './preparation.js';
import type { Results, Settings } from './results.js';
import { measureSpeed } from './speed.js';
import { teacherFile } from './teacher.js';
import { teach } from './training.js';

/** The languages and the music of the test are never heard in training. */
export function chooseSettings(quick: boolean, seed: number): Settings {
  const seconds = quick ? 20 : 60;
  return {
    training: {
      purpose: 'training',
      languages: ['en', 'es', 'fr'],
      each: quick ? 1 : 15,
      seconds,
      seed: 1,
    },
    test: { purpose: 'test', languages: ['it', 'ru'], each: quick ? 1 : 14, seconds, seed: 1 },
    shape: quick ? QUICK_STUDENT : STUDENT,
    pace: { steps: quick ? 300 : 3000, batch: quick ? 8 : 32, learningRate: 0.008 },
    seeds: seedsFrom(seed, quick),
  };
}

/** The results, and the file of the student that the page runs: of the first method and seed. */
export interface Outcome {
  readonly results: Results;
  readonly file: Uint8Array;
}

/**
 * Teaches a student by each method for each seed, and judges the students by the code that the page
 * runs.
 */
export async function runExperiment(settings: Settings): Promise<Outcome> {
  const { shape, seeds } = settings;
  const training = await prepareLesson(settings.training);
  const test = await prepareLesson(settings.test);
  const students = new Map<Method, Student[]>(METHODS.map((method) => [method, []]));
  for (const seed of seeds) {
    for (const [method, taught] of students) {
      taught.push(await teachOnce(method, training, settings, seed));
    }
  }
  const judgeStudent = (student: Student) => judge(listen(student, test), test);
  const file = encode(students.get(METHODS[0]!)![0]!);
  const results: Results = {
    settings,
    frames: test.truth.length,
    teacher: { bytes: statSync(teacherFile()).size, judgements: judge(test.teacher, test) },
    student: { bytes: file.length, parameters: countParameters(shape) },
    milliseconds: await measureSpeed(decode(file), settings.test),
    methods: METHODS.map((method) => ({
      name: method.name,
      runs: students.get(method)!.map((student, index) => ({
        seed: seeds[index]!,
        judgements: judgeStudent(decode(encode(student))),
        unrounded: judgeStudent(student),
      })),
    })),
  };
  return { results, file };
}

/** The modules that decide a student. */
const STUDENT_MODULES = [LESSON_MODULE, 'methods.ts', 'training.ts'];

/** Teaches a student, unless an earlier run has done so. */
async function teachOnce(
  method: Method,
  lesson: Lesson,
  { training, shape, pace }: Settings,
  seed: number,
): Promise<Student> {
  const settings = { method: method.name, training, shape, pace, seed };
  const bytes = await cached('student', settings, STUDENT_MODULES, async () => {
    const { parameters } = await teach(method, lesson, shape, pace, seed);
    return new Uint8Array(parameters.buffer);
  });
  return { shape, parameters: new Float32Array(new Uint8Array(bytes).buffer) };
}
