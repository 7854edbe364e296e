// The laws about calls, each for one example: a law throws if the call reads, writes or accepts
// what it must not.

import type { IDistillationStrategy } from '../call/options.js';
import { sharesBase } from '../call/sharesBase.js';
import { IGNORE_INDEX, type Labels } from '../core/labels.js';
import { Matrix } from '../core/matrix.js';
import { type FloatArray, float64, type NumericTrait } from '../core/numeric.js';
import { type Call, callOf, gradientOf, lossAndGradientOf, lossOf } from './call.js';
import type { DistillationCase } from './cases.js';
import { expectClose, expectSameBits, largest, throws } from './compare.js';
import type { Subject } from './subject.js';

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

export function maskSelects(subject: Subject, example: DistillationCase): void {
  const mask = example.mask ?? example.student.map((_, row) => (row % 2 === 0 ? 1 : 0));
  const strategy = subject.create(float64);
  const { student, teacher, labels, normalizer, rowWeights, temperatures } = example;
  const keep = <V>(values: readonly V[]): V[] => values.filter((_, row) => mask[row] === 1);
  if (keep(student).length === 0) return;
  const masked = callOf(float64, { ...example, mask });
  const selected = callOf(float64, {
    student: keep(student),
    teacher: keep(teacher),
    labels: labels && keep(labels),
    mask: undefined,
    normalizer,
    rowWeights: rowWeights && keep(rowWeights),
    temperatures: temperatures && keep(temperatures),
  });
  const gradient = keep(gradientOf(strategy, masked).toRows()).flat();
  expectSameBits('loss', [lossOf(strategy, masked)], [lossOf(strategy, selected)]);
  expectSameBits('gradient', gradient, gradientOf(strategy, selected).data);
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
  // A strategy may add its terms to the buffer one by one. Terms that cancel leave the rounding
  // error of float32.
  const cancels = numeric.dtype === 'float32' ? (subject.float32Tolerance ?? 0) : 0;
  const allowed = Math.max(Math.max(8 * numeric.epsilon, cancels) * scale, subject.rounding);
  expectClose('gradient added to', buffer.data, doubled, 1, allowed);
}

function valuesOf<T extends FloatArray>(labels: Labels<T> | undefined): ArrayLike<number> {
  if (labels === undefined) return [];
  return labels instanceof Matrix ? labels.data : labels;
}

export function refusesNaN<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const strategy = subject.create(numeric);
  const labels = subject.labels === 'classes' ? example.labels : undefined;
  if (labels?.at(-1) === IGNORE_INDEX) return;
  const { student, teacher } = example;
  const plain = { student, teacher, labels, mask: undefined, normalizer: undefined };
  for (const side of ['student', 'teacher'] as const) {
    if (side === 'teacher' && subject.readsTeacher === false) continue;
    const last = example.student.length - 1;
    for (let column = 0; column < example[side][0]!.length; column++) {
      const call = callOf(numeric, plain);
      call[side].row(last).fill(0, column + 1); // zeros after the NaN must not hide it
      call[side].set(last, column, Number.NaN);
      const where = `${side} row ${last}, column ${column} is NaN`;
      if (!throws(() => lossOf(strategy, call))) {
        throw new Error(`${where}, and computeLoss accepts it`);
      }
      // After an error, a gradient that was to be overwritten may hold any numbers.
      const gradient = call.student.zerosLike();
      if (!throws(() => gradientOf(strategy, call, { gradient }))) {
        throw new Error(`${where}, and computeGradient accepts it`);
      }
      keepsWhatItAddsTo(strategy, call, where);
    }
  }
}

/** Throws if an accumulating call that fails changes the gradients to which it was to add. */
function keepsWhatItAddsTo<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  call: Call<T>,
  where: string,
): void {
  const gradient = call.student.zerosLike();
  gradient.data.forEach((_, i) => {
    gradient.data[i] = i + 1;
  });
  const parameters = sharesBase(strategy) ? strategy.parameters() : [];
  const sums = [{ name: 'gradient', gradient }, ...parameters];
  const before = sums.map((sum) => sum.gradient.clone());
  const options = { gradient, accumulate: true };
  const methods = {
    computeGradient: () => gradientOf(strategy, call, options),
    // A bare implementation of the interface need not have this method.
    ...(sharesBase(strategy) && {
      computeLossAndGradient: () => lossAndGradientOf(strategy, call, options),
    }),
  };
  for (const [method, ask] of Object.entries(methods)) {
    if (!throws(ask)) throw new Error(`${where}, and ${method} with accumulate accepts it`);
    sums.forEach(({ name, gradient: { data } }, i) => {
      expectSameBits(`${name}, which a failing ${method} was to add to`, data, before[i]!.data);
    });
  }
}
