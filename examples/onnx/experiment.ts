import {
  type ComparisonSettings,
  chooseComparison,
  compareMethods,
  type Hits,
  type Results,
} from '../shared/comparison.js';
import { HiddenLayerStudent } from '../shared/hiddenLayerStudent.js';
import { Random } from '../shared/random.js';
import { agreement, mostLikely } from '../shared/statistics.js';
import { type Lesson, type Method, teach } from '../shared/training.js';
import { CLASSES, countFrames, FEATURES, featuresOf, labelsOf, spell } from './frames.js';
import type { Line } from './lines.js';

export interface Settings extends ComparisonSettings {
  readonly lines: number;
  readonly steps: number;
}

export function chooseSettings(quick: boolean, seed: number): Settings {
  return {
    ...chooseComparison(quick, seed),
    lines: quick ? 300 : 4000,
    steps: quick ? 300 : 3000,
  };
}

/** The frames of all lines, one line after the other; each frame is a sample. */
export interface FrameLesson extends Lesson {
  readonly lines: readonly Line[];
  /** Index of the line of each frame. */
  readonly lineOf: Int32Array;
  /** Index of the font of each frame. */
  readonly fontOf: Int32Array;
}

export function prepareLesson(lines: readonly Line[], teacherLogits: Float32Array): FrameLesson {
  const fonts = [...new Set(lines.map(({ font }) => font))];
  const lineOf = lines.flatMap((line, index) => new Array<number>(countFrames(line)).fill(index));
  return {
    lines,
    lineOf: Int32Array.from(lineOf),
    fontOf: Int32Array.from(lineOf, (index) => fonts.indexOf(lines[index]!.font)),
    features: lines.flatMap(featuresOf),
    labels: Int32Array.from(lines.flatMap((line) => Array.from(labelsOf(line)))),
    teacherLogits,
  };
}

const UNITS = 64;

/**
 * Teaches a student by each method for each seed, and scores the students on unseen fonts: the
 * fraction of words without a mistake, and the fraction of frames with the teacher's class.
 */
export function runExperiment(
  methods: readonly Method[],
  lesson: FrameLesson,
  { steps, ...settings }: Settings,
): Results<Hits> {
  const classes = CLASSES.length;
  const pace = { steps, batch: 64, learningRate: 0.01 };
  return compareMethods(
    methods,
    lesson,
    lesson.fontOf,
    (method, training, seed) => {
      const student = new HiddenLayerStudent(FEATURES, UNITS, classes, new Random(seed, 'student'));
      teach(student, method, lesson, training, pace, seed);
      return student;
    },
    (logits, teacher, _, frames) => {
      const said = mostLikely(logits, classes);
      return {
        accuracy: fractionRead(said, frames, lesson),
        agreement: agreement(said, mostLikely(teacher, classes)),
      };
    },
    settings,
  );
}

/** Returns the number of lines whose frames spell their word. */
function fractionRead(
  said: Int32Array,
  frames: Int32Array,
  { lines, lineOf }: FrameLesson,
): number {
  const saidIn = new Map<number, number[]>();
  frames.forEach((frame, position) => {
    const line = lineOf[frame]!;
    if (!saidIn.has(line)) saidIn.set(line, []);
    saidIn.get(line)!.push(said[position]!);
  });
  const read = [...saidIn].filter(([line, classes]) => spell(classes) === lines[line]!.word);
  return read.length / saidIn.size;
}
