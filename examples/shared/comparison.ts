import { gatherRows } from './batches.js';
import { Random, seedsFrom } from './random.js';
import { splitByGroup } from './split.js';
import { agreement, mostLikely } from './statistics.js';
import { formatPercent, formatTable } from './table.js';
import type { Lesson, Student } from './training.js';

/**
 * Judges the logits of a model for the held-out samples `indices`, beside the teacher's and the
 * true classes.
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
  /** An entry for each seed: their held-out samples differ. */
  readonly teacher: readonly Score[];
  readonly students: readonly { readonly method: string; readonly scores: readonly Score[] }[];
}

export interface ComparisonSettings {
  readonly heldOutFraction: number;
  /** One split of the samples, and one student of each kind, for each seed. */
  readonly seeds: readonly number[];
}

/** What every example holds out, and how often it repeats itself. */
export function chooseComparison(quick: boolean, seed: number): ComparisonSettings {
  return { heldOutFraction: 0.25, seeds: seedsFrom(seed, quick) };
}

/**
 * Teaches a student by each method for each seed, and judges them. A group of samples is held out
 * whole, or not at all.
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

/** Fractions of the held-out samples. */
export interface Hits {
  /** Where the most likely class is the true one. */
  readonly accuracy: number;
  /** Where it is the teacher's. */
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
