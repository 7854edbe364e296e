import { expect, test } from 'vitest';
import {
  type DistillationStrategyBase,
  DivergenceDistillationStrategyBase,
  type FloatArray,
  float32,
  float64,
  IGNORE_INDEX,
  type KernelName,
  type Labels,
  Matrix,
  type NumericTrait,
  SparseTargets,
  selectKernel,
  type TeacherOutput,
  UNLABELED,
} from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';
import { kernels } from '../support/describeKernels.js';
import { wrong } from '../support/refusal.js';
import { widthsOf } from './call.js';

// Kernels keep tables and workspaces between calls, and strategies keep parameters. Neither may
// affect a result: a call gives the same bits after any other calls, failed calls included.

/**
 * The seed of all histories of a file, which every failure prints. Put the printed seed here to
 * repeat a run.
 */
export const SEED: number = Math.floor(Math.random() * 2 ** 32);
const ROUNDS = 3;
/** Number of calls of a strategy: several for each of its cases. */
const CALLS = 24;
/**
 * Minimum number of successful calls. A case also makes failing calls at random, but fewer
 * successes than this are no accident.
 */
const LEAST_SUCCESSES = 4;

/** Returns uniform numbers in [0, 1). */
export type Random = () => number;

/** Uniform numbers in [0, 1) by xorshift32, independent of the library's own generator. */
export function numbersFrom(seed: number): Random {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export function pick<V>(random: Random, values: readonly V[]): V {
  return values[Math.floor(random() * values.length)]!;
}

/** Makes the arguments of a call from random numbers. */
export interface Inputs {
  readonly student: Matrix<FloatArray>;
  readonly teacher: Matrix<FloatArray>;
  readonly labels: Labels<FloatArray> | undefined;
  readonly mask: readonly number[] | undefined;
}

type Strategy = DistillationStrategyBase<FloatArray, SparseTargets<FloatArray>>;

/** A call that can be repeated, since its fields determine everything about it. */
export interface RepeatableCall {
  readonly name: string;
  readonly strategy: Strategy;
  readonly kernel: KernelName;
  readonly seed: number;
  readonly inputs: (random: Random) => Inputs;
}

/** Returns the call of a strategy with a random kernel and seed. */
export function repeatable(
  random: Random,
  name: string,
  strategy: unknown,
  inputs: RepeatableCall['inputs'],
): RepeatableCall {
  const kernel = pick(random, kernels);
  const seed = Math.floor(random() * 2 ** 32);
  return {
    name: `${name}, ${kernel}, seed ${seed}`,
    strategy: wrong(strategy),
    kernel,
    seed,
    inputs,
  };
}

function rowsOf(
  random: Random,
  { values, ruledOut = false }: StrategySubject,
  rows: number,
  columns: number,
): number[][] {
  const magnitude = pick(random, [0.1, 4, 4, 100]);
  const special = pick(random, [0, 0, 0, 0.1]);
  return Array.from({ length: rows }, () => {
    const row = Array.from({ length: columns }, () => {
      if (random() >= special) return magnitude * (2 * random() - 1);
      return ruledOut ? -Infinity : 0;
    });
    if (values !== 'probabilities') return row;
    const weights = row.map((value) => Math.exp(value / magnitude));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => weight / sum);
  });
}

function labelsOf(
  random: Random,
  subject: StrategySubject,
  { rows, columns, numeric }: Matrix<FloatArray>,
): Labels<FloatArray> | undefined {
  const classes = Int32Array.from({ length: rows }, () => Math.floor(random() * columns));
  const kinds = ['classes', 'one-hot', 'some', 'soft', 'none'];
  const kind = pick(random, subject.labels === 'classes' ? kinds.slice(0, 2) : kinds);
  if (kind === 'none') return undefined;
  if (kind === 'one-hot') return Matrix.oneHot(classes, columns, numeric);
  if (kind === 'soft') {
    return Matrix.fromRows(
      rowsOf(random, { ...subject, values: 'probabilities' }, rows, columns),
      numeric,
    );
  }
  if (kind === 'some') classes[0] = pick(random, [UNLABELED, IGNORE_INDEX]);
  return classes;
}

/** Inputs of a case: with few columns and many, one row and several, and all kinds of labels. */
function inputsOf(
  random: Random,
  subject: StrategySubject,
  numeric: NumericTrait<FloatArray>,
): Inputs {
  const widths = widthsOf(subject, pick(random, [2, 3, 5, 10, 16, 17, 48]));
  const rows = pick(random, [1, 2, 5, 18]);
  const student = Matrix.fromRows(rowsOf(random, subject, rows, widths.student), numeric);
  const teacher = Matrix.fromRows(rowsOf(random, subject, rows, widths.teacher), numeric);
  const labels = labelsOf(random, subject, student);
  const mask = random() < 0.2 ? Array.from({ length: rows }, (_, i) => i % 2) : undefined;
  return { student, teacher, labels, mask };
}

/** Makes the call, and returns the loss, the gradients and the error, to the bit. */
function run({ strategy, kernel, seed, inputs }: RepeatableCall): string {
  const random = numbersFrom(seed);
  const { student, teacher: dense, labels, mask } = inputs(random);
  let teacher: TeacherOutput<FloatArray> = dense;
  if (strategy instanceof DivergenceDistillationStrategyBase && random() < 0.2) {
    const { temperature } = strategy;
    const best = SparseTargets.topK(dense, Math.min(2, dense.columns), { temperature });
    const { indices, values: logProbabilities, columns } = best;
    teacher = best;
    if (random() < 0.5) {
      indices[1] = -1; // a row of one class, whose tail was computed for two
      teacher = new SparseTargets({ indices, logProbabilities, columns, temperature });
    }
  }
  const gradient = student.zerosLike();
  gradient.data.fill(Number.NaN); // which the call must overwrite
  if (random() < 0.15) student.row(Math.floor(random() * student.rows)).fill(Number.NaN);
  const options = { ...(mask && { mask }), ...(random() < 0.5 && { gradient }) };
  selectKernel(kernel);
  try {
    const result = strategy.computeLossAndGradient(student, teacher, labels, options);
    const learned = strategy.parameters().map((parameter) => parameter.gradient);
    const loss = strategy.computeLoss(student, teacher, labels, mask ? { mask } : {});
    return bitsOf([
      Float64Array.of(result.loss, loss),
      ...[result.gradient, ...learned].map(({ data }) => data),
    ]);
  } catch (error) {
    return String(error);
  }
}

function bitsOf(arrays: readonly FloatArray[]): string {
  return arrays
    .map(
      ({ buffer, byteOffset, byteLength }) => new Uint32Array(buffer, byteOffset, byteLength / 4),
    )
    .join('; ');
}

function shuffled<V>(random: Random, values: readonly V[]): V[] {
  const copy = [...values];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}

/**
 * Makes the calls repeatedly, each time in another order, and compares the results. At least
 * `least` of the calls must succeed.
 */
export function expectSameBits(
  random: Random,
  calls: readonly RepeatableCall[],
  least: number,
): void {
  const first = new Map<RepeatableCall, string>();
  let previous = 'no call';
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const call of shuffled(random, calls)) {
        const outcome = run(call);
        const expected = first.get(call) ?? outcome;
        first.set(call, expected);
        if (outcome !== expected) {
          throw new Error(
            `seed ${SEED}: after ${previous}, ${call.name} is ${outcome}, not ${expected}`,
          );
        }
        previous = call.name;
      }
    }
  } finally {
    selectKernel('auto');
  }
  const successes = [...first.values()].filter((outcome) => !outcome.includes('Error'));
  expect(successes.length).toBeGreaterThanOrEqual(least);
}

/** Registers that calls of the cases of a strategy leave no trace in each other. */
export function proveHistories(cases: Readonly<Record<string, StrategySubject>>): void {
  test(`a call gives the same bits after any other calls, seed ${SEED}`, () => {
    const random = numbersFrom(SEED);
    const perDtype = Math.max(2, Math.ceil(CALLS / 2 / Object.keys(cases).length));
    const calls = Object.entries(cases).flatMap(([name, subject]) =>
      [float32, float64].flatMap((numeric) => {
        const strategy = subject.create<FloatArray>(numeric);
        return Array.from({ length: perDtype }, () =>
          repeatable(random, `${name}, ${numeric.dtype}`, strategy, (numbers) =>
            inputsOf(numbers, subject, numeric),
          ),
        );
      }),
    );
    expectSameBits(random, calls, LEAST_SUCCESSES);
  });
}
