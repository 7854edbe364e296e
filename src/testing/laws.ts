import { IGNORE_INDEX, type Labels } from '../labels.js';
import { Matrix } from '../matrix.js';
import { type FloatArray, float32, float64, type NumericTrait } from '../numeric.js';
import { HybridDistillationStrategy } from '../strategies/hybrid.js';
import type { EvaluationOptions, IDistillationStrategy } from '../strategy.js';
import {
  arbitraries,
  type CaseOptions,
  type DistillationCase,
  type FastCheck,
} from './arbitraries.js';
import { assertGradient } from './checkGradient.js';
import { expectClose, expectSameBits, largest } from './compare.js';
import { changed, changedGradient, type Invariance } from './invariances.js';

/** A strategy to be proved, and what it promises. */
export interface StrategySubject extends CaseOptions {
  /** A new strategy for matrices of this number format. */
  readonly create: <T extends FloatArray>(numeric: NumericTrait<T>) => IDistillationStrategy<T>;
  /** The least loss there is; 0. */
  readonly minimum?: number;
  /** Whether the loss is least at student = teacher; true. */
  readonly reachesMinimum?: boolean;
  /**
   * Whether a row of the student is one where the loss is differentiable, and least where the teacher's row is the
   * same and there is no label. Always, unless you say otherwise: the cosine of a zero row is neither.
   */
  readonly isRegular?: (row: readonly number[]) => boolean;
  readonly invariances: readonly Invariance[];
  /** Whether the loss is a sum over rows, so that chunks with one normalizer add up; true. */
  readonly sumOverRows?: boolean;
  /** How far float32 may be from float64, relative to the largest entry; 1e-6. */
  readonly float32Tolerance?: number;
  /** Least magnitude below which losses and gradients count as equal; 1e-12. */
  readonly rounding?: number;
}

/** One law, to be run by any test runner: `test(law.name, law.check)`. */
export interface Law {
  readonly name: string;
  /** Throws, with the seed and the smallest counterexample, where the law does not hold. */
  readonly check: () => void;
}

/** The arguments of one call in one number format. */
interface Call<T extends FloatArray> {
  readonly student: Matrix<T>;
  readonly teacher: Matrix<T>;
  readonly labels: Labels<T> | undefined;
  readonly options: EvaluationOptions<T>;
}

/**
 * The laws that every strategy of this library is put through, as properties for yours.
 *
 * 1. the gradient is the derivative of the loss; 2. the methods agree to the bit; 3. the loss has the declared
 * minimum, and reaches it at student = teacher; 4. the declared invariances; 5. masked rows may hold anything, and a
 * mask is the same as leaving them out; 6. chunks with one normalizer add up; 7. float32 agrees with float64;
 * 8. inputs stay untouched, and `gradient` and `accumulate` give what a fresh call gives; 9. loss and gradient are finite
 * for values up to ±1e4; 10. a NaN is refused; 11. a weight in a hybrid weights both.
 *
 * @param fc - fast-check, as installed beside your tests
 * @example
 * import fc from 'fast-check';
 * import { ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { strategyLaws } from 'knowledge-distillation/testing';
 *
 * const laws = strategyLaws(fc, {
 *   create: () => new ResponseDistillationStrategy({ temperature: 2 }),
 *   values: 'logits',
 *   invariances: ['row-shift', 'row-order', 'column-order'],
 * });
 * for (const law of laws) law.check(); // with a test runner: test(law.name, law.check)
 */
export function strategyLaws(fc: FastCheck, subject: StrategySubject): readonly Law[] {
  const { cases } = arbitraries(fc);
  const anyCase = cases(subject);
  const property = (name: string, holds: (example: DistillationCase) => void): Law => ({
    name,
    check: () => fc.assert(fc.property(anyCase, holds), { includeErrorInReport: true }),
  });
  const own = { minimum: 0, isRegular: () => true, rounding: 1e-12, ...subject };

  const laws = [
    property('the gradient is the derivative of the loss', (example) => {
      if (!example.student.every(own.isRegular)) return;
      const { student, teacher, labels, options } = callOf(float64, example);
      assertGradient(own.create(float64), student, teacher, labels, options);
    }),
    property('loss and gradient agree to the bit, however they are asked for', (example) => {
      methodsAgree(own, float32, example);
      methodsAgree(own, float64, example);
    }),
    property('the loss is at least its minimum, and reaches it at student = teacher', (example) => {
      hasMinimum(own, float32, example);
      hasMinimum(own, float64, example);
    }),
    property('a NaN in a row that counts is refused', (example) => {
      refusesNaN(own, float32, example);
      refusesNaN(own, float64, example);
    }),
    property('a mask is the same as leaving the rows out', (example) => maskSelects(own, example)),
    property('a weight in a hybrid weights loss and gradient', (example) =>
      isWeighted(own, example),
    ),
    property('rows that are masked out may hold anything', (example) => {
      maskedRowsAreNotRead(own, float32, example);
      maskedRowsAreNotRead(own, float64, example);
    }),
    {
      name: 'loss and gradient are finite for values up to ±1e4',
      check: () => {
        const extreme = cases({ ...subject, magnitude: 1e4 });
        const holds = (example: DistillationCase) => {
          staysFinite(own, float32, example);
          staysFinite(own, float64, example);
        };
        fc.assert(fc.property(extreme, holds), { includeErrorInReport: true });
      },
    },
    property('float32 agrees with float64', (example) => formatsAgree(own, example)),
    property('inputs stay untouched; a given gradient gets what a new one gets', (example) => {
      gradientIsReused(own, float32, example);
      gradientIsReused(own, float64, example);
    }),
    ...own.invariances.map((invariance) =>
      property(`the loss does not change with ${invariance}`, (example) => {
        isInvariant(own, float32, invariance, example);
        isInvariant(own, float64, invariance, example);
      }),
    ),
  ];
  if (subject.sumOverRows === false) return laws;
  const chunks = property('chunks with one normalizer add up', (example) => {
    chunksAddUp(own, float32, example);
    chunksAddUp(own, float64, example);
  });
  return [...laws, chunks];
}

type Subject = StrategySubject &
  Required<Pick<StrategySubject, 'minimum' | 'isRegular' | 'rounding'>>;

/** What counts as equal in a number format. */
function roundingOf({ rounding }: Subject, { epsilon }: NumericTrait<FloatArray>): number {
  return Math.max(rounding, 4 * epsilon);
}

function callOf<T extends FloatArray>(
  numeric: NumericTrait<T>,
  { student, teacher, labels, mask, normalizer }: DistillationCase,
): Call<T> {
  return {
    student: Matrix.fromRows(student, numeric),
    teacher: Matrix.fromRows(teacher, numeric),
    labels: labels && labelsOf(numeric, labels),
    options: { ...(mask && { mask }), ...(normalizer !== undefined && { normalizer }) },
  };
}

function labelsOf<T extends FloatArray>(
  numeric: NumericTrait<T>,
  labels: readonly (number | number[])[],
): Labels<T> {
  const rows = labels.filter((label) => typeof label !== 'number');
  const indices = labels.filter((label) => typeof label === 'number');
  return rows.length > 0 ? Matrix.fromRows(rows, numeric) : Int32Array.from(indices);
}

function lossOf<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  { student, teacher, labels, options }: Call<T>,
): number {
  return strategy.computeLoss(student, teacher, labels, options);
}

function gradientOf<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  { student, teacher, labels, options }: Call<T>,
  more: EvaluationOptions<T> = {},
): Matrix<T> {
  return strategy.computeGradient(student, teacher, labels, { ...options, ...more });
}

function methodsAgree<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const strategy = subject.create(numeric);
  const call = callOf(numeric, example);
  const loss = lossOf(strategy, call);
  const gradient = gradientOf(strategy, call);
  const again = gradientOf(strategy, call);
  if (again === gradient) throw new Error('computeGradient has to return a new matrix each time');
  expectSameBits('computeLoss twice', [lossOf(strategy, call)], [loss]);
  expectSameBits('computeGradient twice', again.data, gradient.data);
  if (!('computeLossAndGradient' in strategy)) return;
  if (typeof strategy.computeLossAndGradient !== 'function') return;
  const { student, teacher, labels, options } = call;
  const both = strategy.computeLossAndGradient(student, teacher, labels, options);
  expectSameBits('computeLossAndGradient: loss', [both.loss], [loss]);
  expectSameBits('computeLossAndGradient: gradient', both.gradient.data, gradient.data);
}

function hasMinimum<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const { minimum } = subject;
  const rounding = roundingOf(subject, numeric);
  const strategy = subject.create(numeric);
  const call = callOf(numeric, example);
  const loss = lossOf(strategy, call);
  if (!(loss >= minimum - rounding * Math.max(1, Math.abs(minimum)))) {
    throw new Error(`the loss is ${loss}, below its minimum ${minimum}`);
  }
  const { student } = call;
  if (subject.reachesMinimum === false || student.columns !== call.teacher.columns) return;
  if (!example.student.every(subject.isRegular)) return;
  const equal = { student, teacher: student.clone(), labels: undefined, options: {} };
  expectClose('loss at student = teacher', [lossOf(strategy, equal)], [minimum], 1, rounding);
  const zeros = student.zerosLike().data;
  expectClose(
    'gradient at student = teacher',
    gradientOf(strategy, equal).data,
    zeros,
    1,
    rounding,
  );
}

function maskedRowsAreNotRead<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const mask = example.mask ?? example.student.map((_, row) => row % 2);
  const strategy = subject.create(numeric);
  const clean = callOf(numeric, { ...example, mask });
  const dirty = callOf(numeric, { ...example, mask });
  const { labels } = dirty;
  const ignored = (row: number) => example.labels?.[row] === IGNORE_INDEX;
  mask.forEach((keep, row) => {
    if (keep !== 0 && !ignored(row)) return;
    dirty.student.row(row).fill(Number.NaN);
    dirty.teacher.row(row).fill(Number.NaN);
    if (labels instanceof Matrix) labels.row(row).fill(Number.NaN);
    else if (labels && keep === 0) labels[row] = 1e6;
  });
  const gradient = gradientOf(strategy, dirty);
  expectSameBits('loss', [lossOf(strategy, dirty)], [lossOf(strategy, clean)]);
  expectSameBits('gradient', gradient.data, gradientOf(strategy, clean).data);
  mask.forEach((keep, row) => {
    if ((keep === 0 || ignored(row)) && gradient.row(row).some((value) => value !== 0)) {
      throw new Error(`row ${row} is masked out and has a gradient`);
    }
  });
}

function staysFinite<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const strategy = subject.create(numeric);
  const call = callOf(numeric, example);
  const values = [lossOf(strategy, call), ...gradientOf(strategy, call).data];
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new Error(`loss or gradient is ${wrong}`);
}

function formatsAgree(subject: Subject, example: DistillationCase): void {
  const tolerance = subject.float32Tolerance ?? 1e-6;
  const single = callOf(float32, example);
  const double = callOf(float64, example);
  const [strategy32, strategy64] = [subject.create(float32), subject.create(float64)];
  const loss = lossOf(strategy64, double);
  expectClose('loss', [lossOf(strategy32, single)], [loss], Math.max(1, Math.abs(loss)), tolerance);
  const gradient = gradientOf(strategy64, double).data;
  const scale = Math.max(largest(gradient), 1e-12); // less is rounding on either side
  expectClose('gradient', gradientOf(strategy32, single).data, gradient, scale, tolerance);
}

function gradientIsReused<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const strategy = subject.create(numeric);
  const call = callOf(numeric, example);
  const fresh = gradientOf(strategy, call);
  const copy = callOf(numeric, example);
  expectSameBits('student', call.student.data, copy.student.data);
  expectSameBits('teacher', call.teacher.data, copy.teacher.data);
  expectSameBits('labels', valuesOf(call.labels), valuesOf(copy.labels));
  expectSameBits('mask', call.options.mask ?? [], copy.options.mask ?? []);
  const buffer = fresh.clone();
  buffer.data.fill(7);
  const returned = gradientOf(strategy, call, { gradient: buffer });
  if (returned !== buffer) throw new Error('computeGradient has to return the matrix it was given');
  expectSameBits('gradient written over', buffer.data, fresh.data);
  gradientOf(strategy, call, { gradient: buffer, accumulate: true });
  const doubled = fresh.data.map((value) => 2 * value);
  const scale = Math.max(largest(doubled), numeric.epsilon);
  expectClose('gradient added to', buffer.data, doubled, scale, 8 * numeric.epsilon);
}

function valuesOf<T extends FloatArray>(labels: Labels<T> | undefined): ArrayLike<number> {
  if (labels === undefined) return [];
  return labels instanceof Matrix ? labels.data : labels;
}

function refusesNaN<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const strategy = subject.create(numeric);
  const plain = { ...example, labels: undefined, mask: undefined, normalizer: undefined };
  for (const side of ['student', 'teacher'] as const) {
    const last = example.student.length - 1;
    for (let column = 0; column < example[side][0]!.length; column++) {
      const call = callOf(numeric, plain);
      call[side].row(last).fill(0, column + 1); // zeros behind it must not hide it
      call[side].set(last, column, Number.NaN);
      let loss: number;
      try {
        loss = lossOf(strategy, call);
      } catch {
        continue;
      }
      throw new Error(`${side} row ${last}, column ${column} is NaN, and the loss is ${loss}`);
    }
  }
}

function maskSelects(subject: Subject, example: DistillationCase): void {
  const mask = example.mask ?? example.student.map((_, row) => (row % 2 === 0 ? 1 : 0));
  const strategy = subject.create(float64);
  const { student, teacher, labels, normalizer } = example;
  const keep = <V>(values: readonly V[]): V[] => values.filter((_, row) => mask[row] === 1);
  if (keep(student).length === 0) return;
  const masked = callOf(float64, { ...example, mask });
  const selected = callOf(float64, {
    student: keep(student),
    teacher: keep(teacher),
    labels: labels && keep(labels),
    mask: undefined,
    normalizer,
  });
  const gradient = keep(gradientOf(strategy, masked).toRows()).flat();
  expectSameBits('loss', [lossOf(strategy, masked)], [lossOf(strategy, selected)]);
  expectSameBits('gradient', gradient, gradientOf(strategy, selected).data);
}

function isWeighted(subject: Subject, example: DistillationCase): void {
  const weight = 3;
  const strategy = subject.create(float64);
  const hybrid = new HybridDistillationStrategy<Float64Array>(
    [{ strategy, weight, name: 'subject' }],
    { weights: 'free', temperature: strategy.temperature, alpha: strategy.alpha },
  );
  const call = callOf(float64, example);
  const loss = weight * lossOf(strategy, call);
  const { rounding } = subject;
  expectClose('loss', [lossOf(hybrid, call)], [loss], Math.max(1, Math.abs(loss)), rounding);
  const gradient = gradientOf(strategy, call).data.map((value) => weight * value);
  const scale = Math.max(1, largest(gradient));
  expectClose('gradient', gradientOf(hybrid, call).data, gradient, scale, rounding);
}

function chunksAddUp<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const strategy = subject.create(numeric);
  const rounding = roundingOf(subject, numeric);
  const normalizer = example.normalizer ?? example.student.length;
  const whole = callOf(numeric, { ...example, normalizer });
  const middle = Math.ceil(example.student.length / 2);
  const parts = [
    [0, middle],
    [middle, example.student.length],
  ] as const;
  let loss = 0;
  const gradient: number[] = [];
  for (const [start, end] of parts) {
    if (start === end) continue;
    const part = callOf(numeric, sliceCase(example, start, end, normalizer));
    loss += lossOf(strategy, part);
    gradient.push(...gradientOf(strategy, part).data);
  }
  const expected = lossOf(strategy, whole);
  const scale = Math.max(1, Math.abs(expected));
  expectClose('loss', [loss], [expected], scale, rounding);
  const expectedGradient = gradientOf(strategy, whole).data;
  const size = Math.max(1, largest(expectedGradient));
  expectClose('gradient', gradient, expectedGradient, size, rounding);
}

function sliceCase(
  { student, teacher, labels, mask }: DistillationCase,
  start: number,
  end: number,
  normalizer: number,
): DistillationCase {
  return {
    student: student.slice(start, end),
    teacher: teacher.slice(start, end),
    labels: labels?.slice(start, end),
    mask: mask?.slice(start, end),
    normalizer,
  };
}

function isInvariant<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  invariance: Invariance,
  example: DistillationCase,
): void {
  const strategy = subject.create(numeric);
  const before = callOf(numeric, example);
  const after = callOf(numeric, changed(invariance, example));
  const loss = lossOf(strategy, before);
  // Adding to a number and multiplying it round the input itself.
  const tolerance = 1e3 * roundingOf(subject, numeric);
  expectClose('loss', [lossOf(strategy, after)], [loss], Math.max(1, Math.abs(loss)), tolerance);
  const gradient = gradientOf(strategy, before).toRows();
  const expected = changedGradient(invariance, gradient).flat();
  const scale = Math.max(1, largest(expected));
  expectClose('gradient', gradientOf(strategy, after).data, expected, scale, tolerance);
}
