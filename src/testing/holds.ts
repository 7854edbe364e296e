// The laws themselves, each for one example: they throw where it does not hold.

import { IGNORE_INDEX, type Labels } from '../core/labels.js';
import { Matrix } from '../core/matrix.js';
import { type FloatArray, float32, float64, type NumericTrait } from '../core/numeric.js';
import { HybridDistillationStrategy } from '../strategies/hybrid/hybrid.js';
import type { DistillationCase } from './arbitraries.js';
import { callOf, gradientOf, lossAndGradientOf, lossOf } from './call.js';
import { assertGradient } from './checkGradient.js';
import { expectClose, expectSameBits, largest } from './compare.js';
import { changed, changedGradient, type Invariance } from './invariances.js';
import type { Subject } from './subject.js';

/** What counts as equal in a number format. */
function roundingOf({ rounding }: Subject, { epsilon }: NumericTrait<FloatArray>): number {
  return Math.max(rounding, 4 * epsilon);
}

export function isDerivative(subject: Subject, example: DistillationCase): void {
  if (!example.student.every(subject.isRegular)) return;
  const call = callOf(float64, example);
  const { student, teacher, labels, options } = call;
  const strategy = subject.create(float64);
  const held = subject.heldAt?.(student) ?? strategy;
  assertGradient(held, student, teacher, labels, options);
  if (held === strategy) return;
  expectSameBits(
    'gradient of what is held',
    gradientOf(held, call).data,
    gradientOf(strategy, call).data,
  );
}

export function methodsAgree<T extends FloatArray>(
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
  const both = lossAndGradientOf(strategy, call);
  if (both === undefined) return;
  expectSameBits('computeLossAndGradient: loss', [both.loss], [loss]);
  expectSameBits('computeLossAndGradient: gradient', both.gradient.data, gradient.data);
}

export function hasMinimum<T extends FloatArray>(
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
  // Of a strategy that needs labels, alpha has to be 0 for its least loss to be there.
  const labels = subject.labels === 'classes' ? call.labels : undefined;
  const equal = { student, teacher: student.clone(), labels, options: {} };
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

export function maskedRowsAreNotRead<T extends FloatArray>(
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

export function staysFinite<T extends FloatArray>(
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

export function formatsAgree(subject: Subject, example: DistillationCase): void {
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

export function gradientIsReused<T extends FloatArray>(
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
  const both = lossAndGradientOf(strategy, call, { gradient: buffer });
  if (both !== undefined) {
    if (both.gradient !== buffer) {
      throw new Error('computeLossAndGradient has to return the matrix it was given');
    }
    expectSameBits('gradient written over by computeLossAndGradient', buffer.data, fresh.data);
  }
  expectSameBits('student', call.student.data, copy.student.data);
  expectSameBits('teacher', call.teacher.data, copy.teacher.data);
  gradientOf(strategy, call, { gradient: buffer, accumulate: true });
  const doubled = fresh.data.map((value) => 2 * value);
  const scale = Math.max(largest(doubled), numeric.epsilon);
  expectClose('gradient added to', buffer.data, doubled, scale, 8 * numeric.epsilon);
}

function valuesOf<T extends FloatArray>(labels: Labels<T> | undefined): ArrayLike<number> {
  if (labels === undefined) return [];
  return labels instanceof Matrix ? labels.data : labels;
}

function throws(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}

export function refusesNaN<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const strategy = subject.create(numeric);
  const labels = subject.labels === 'classes' ? example.labels : undefined;
  if (labels?.at(-1) === IGNORE_INDEX) return;
  const plain = { ...example, labels, mask: undefined, normalizer: undefined };
  for (const side of ['student', 'teacher'] as const) {
    const last = example.student.length - 1;
    for (let column = 0; column < example[side][0]!.length; column++) {
      const call = callOf(numeric, plain);
      call[side].row(last).fill(0, column + 1); // zeros behind it must not hide it
      call[side].set(last, column, Number.NaN);
      const where = `${side} row ${last}, column ${column} is NaN`;
      if (!throws(() => lossOf(strategy, call))) {
        throw new Error(`${where}, and computeLoss accepts it`);
      }
      const gradient = call.student.zerosLike();
      if (!throws(() => gradientOf(strategy, call, { gradient, accumulate: true }))) {
        throw new Error(`${where}, and computeGradient accepts it`);
      }
      const untouched = call.student.zerosLike();
      expectSameBits(
        'a gradient to be added to by a call that fails',
        gradient.data,
        untouched.data,
      );
    }
  }
}

export function maskSelects(subject: Subject, example: DistillationCase): void {
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

export function isWeighted(subject: Subject, example: DistillationCase): void {
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

export function chunksAddUp<T extends FloatArray>(
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

export function isInvariant<T extends FloatArray>(
  invariance: Invariance,
  subject: Subject,
  numeric: NumericTrait<T>,
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
