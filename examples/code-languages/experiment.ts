import { fileURLToPath } from 'node:url';
import {
  type ComparisonSettings,
  chooseComparison,
  compareMethods,
  type Hits,
  judgeHits,
  type Results,
} from '../shared/comparison.js';
import { agreement, mostLikely } from '../shared/statistics.js';
import { readCorpus } from './corpus.js';
import { featuresOf } from './student.js';
import { askTeacher } from './teacher.js';
import { type LayeredLesson, type Method, teachStudent } from './training.js';

/** The folder into which `npm run example:code-languages` installs source files and teacher. */
const PACKAGES = fileURLToPath(new URL('node_modules/', import.meta.url));

export interface Settings extends ComparisonSettings {
  readonly filesPerLanguage: number;
  readonly steps: number;
}

export function chooseSettings(quick: boolean, seed: number): Settings {
  return {
    ...chooseComparison(quick, seed),
    filesPerLanguage: quick ? 20 : 200,
    steps: quick ? 200 : 1500,
  };
}

export interface CodeResults extends Results<Hits> {
  /**
   * Fraction of all snippets for which the teacher's answer does not depend on its hidden layers.
   */
  readonly sameWithoutHidden: number;
}

/**
 * Teaches a student by each method for each seed, and scores the students. The snippets of a file
 * are either all held out or all used for training.
 */
export async function runExperiment(
  methods: readonly Method[],
  { filesPerLanguage, steps, ...settings }: Settings,
): Promise<CodeResults> {
  const { texts, languages, families } = readCorpus(PACKAGES, filesPerLanguage);
  const teacher = await askTeacher(PACKAGES, texts);
  const lesson: LayeredLesson = {
    features: texts.map(featuresOf),
    labels: Int32Array.from(languages, (language) => teacher.classes.indexOf(language)),
    teacherLogits: teacher.logits,
    teacherHidden: teacher.hidden,
  };
  const pace = { steps, batch: 64, learningRate: 0.005 };
  const teach = (method: Method, training: Int32Array, seed: number) =>
    teachStudent(method, lesson, training, pace, seed);
  const answers = (logits: Float32Array) => mostLikely(logits, teacher.classes.length);
  return {
    ...compareMethods(methods, lesson, families, teach, judgeHits, settings),
    sameWithoutHidden: agreement(answers(teacher.logits), answers(teacher.wideLogits)),
  };
}
