import {
  type ComparisonSettings,
  chooseComparison,
  compareMethods,
  type Judge,
  type Results,
} from '../shared/comparison.js';
import type { Method } from '../shared/training.js';
import { prepareLesson, teachStudent } from './training.js';

export interface Settings extends ComparisonSettings {
  /** Maximum number of the compiler's messages, each in all languages. */
  readonly messages: number;
  readonly steps: number;
}

export function chooseSettings(quick: boolean, seed: number): Settings {
  return {
    ...chooseComparison(quick, seed),
    messages: quick ? 200 : Number.POSITIVE_INFINITY,
    steps: quick ? 400 : 2000,
  };
}

/** Teaches a student by each method for each seed, and judges the students. */
export function runExperiment<Score>(
  methods: readonly Method[],
  judge: Judge<Score>,
  settings: Settings,
): Results<Score> {
  const lesson = prepareLesson(settings.messages);
  const teach = (method: Method, training: Int32Array, seed: number) =>
    teachStudent(method, lesson, training, settings.steps, seed);
  return compareMethods(methods, lesson, lesson.messages, teach, judge, settings);
}
