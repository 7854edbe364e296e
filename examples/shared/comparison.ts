import { gatherRows } from './batches.js';
import { Random, seedsFrom } from './random.js';
import { splitByGroup } from './split.js';
import { agreement, mostLikely } from './statistics.js';
import { formatPercent, formatTable } from './table.js';
import type { Lesson, Student } from './training.js';

/**
 * Scores the logits of a model for the held-out samples `indices`, given the teacher's logits and
 * the true classes.
 */
export type Judge<Score> = (
  logits: Float32Array,
  teacher: Float32Array,
  labels: Int32Array,
  indices: Int32Array,
) => Score;

export interface Results<Score> {
  readonly training: number;
  readonly heldOut: number;
  /** One score per seed, since each seed has held-out samples of its own. */
  readonly teacher: readonly Score[];
  readonly students: readonly { readonly method: string; readonly scores: readonly Score[] }[];
}

export interface ComparisonSettings {
  readonly heldOutFraction: number;
  /** Each seed has a split of the samples, and a student of each kind. */
  readonly seeds: readonly number[];
}

/** Returns the held-out fraction and the seeds that every example uses. */
export function chooseComparison(quick: boolean, seed: number): ComparisonSettings {
  return { heldOutFraction: 0.25, seeds: seedsFrom(seed, quick) };
}

/**
 * Teaches a student by each method for each seed, and scores the students. The samples of a group
 * are either all held out or all used for training.
 */
export function compareMethods<Method extends { readonly name: string }, Score>(
  methods: readonly Method[],
  { features, labels, teacherLogits }: Lesson,
  groups: Int32Array,
  teach: (method: Method, training: Int32Array, seed: number) => Pick<Student, 'forward'>,
  judge: Judge<Score>,
  { heldOutFraction, seeds }: ComparisonSettings,
): Results<Score> {
  const classes = teacherLogits.length / labels.length;
  const runs = seeds.map((seed) => {
    const random = new Random(seed, 'split');
    const { training, heldOut } = splitByGroup(groups, heldOutFraction, random);
    const truth = heldOut.map((index) => labels[index]!);
    const teacher = gatherRows(teacherLogits, classes, heldOut);
    const samples = Array.from(heldOut, (index) => features[index]!);
    return {
      training: training.length,
      heldOut: heldOut.length,
      teacher: judge(teacher, teacher, truth, heldOut),
      students: methods.map((method) =>
        judge(teach(method, training, seed).forward(samples), teacher, truth, heldOut),
      ),
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

/** Scores as fractions of the held-out samples. */
export interface Hits {
  /** Fraction whose most likely class is the true class. */
  readonly accuracy: number;
  /** Fraction whose most likely class is the teacher's. */
  readonly agreement: number;
}

export const judgeHits: Judge<Hits> = (logits, teacher, labels) => {
  const classes = logits.length / labels.length;
  const chosen = mostLikely(logits, classes);
  return {
    accuracy: agreement(chosen, labels),
    agreement: agreement(chosen, mostLikely(teacher, classes)),
  };
};

export function formatHits(
  { teacher, students }: Results<Hits>,
  accuracyHead = 'held-out accuracy',
  agreementHead = 'agreement with teacher',
): string {
  return formatTable(
    ['model', accuracyHead, agreementHead],
    [
      ['teacher', formatPercent(teacher.map(({ accuracy }) => accuracy)), ''],
      ...students.map(({ method, scores }) => [
        method,
        formatPercent(scores.map(({ accuracy }) => accuracy)),
        formatPercent(scores.map(({ agreement }) => agreement)),
      ]),
    ],
  );
}
