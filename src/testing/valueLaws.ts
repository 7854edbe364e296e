// The laws about the values of loss and gradient, each for one example.

import { type FloatArray, float32, float64, type NumericTrait } from '../core/numeric.js';
import { HybridDistillationStrategy } from '../strategies/hybrid/hybrid.js';
import { callOf, gradientOf, lossOf } from './call.js';
import type { DistillationCase } from './cases.js';
import { assertGradient } from './checkGradient.js';
import { expectClose, expectSameBits, largest } from './compare.js';
import { applyChange, gradientAfterChange, type Invariance } from './invariances.js';
import { roundingOf, type Subject } from './subject.js';

export function isDerivative(subject: Subject, example: DistillationCase): void {
  const { isRegular } = subject;
  if (!example.student.every((row, i, rows) => isRegular(row, i, rows, example.teacher))) return;
  const call = callOf(float64, example);
  const { student, teacher, labels, options } = call;
  const strategy = subject.create(float64);
  const held = subject.heldAt?.(student) ?? strategy;
  assertGradient(held, student, teacher, labels, { ...options, rounding: subject.rounding });
  if (held === strategy) return;
  expectSameBits(
    'gradient of what is held',
    gradientOf(held, call).data,
    gradientOf(strategy, call).data,
  );
}

export function hasMinimum<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const { minimum } = subject;
  const rounding = roundingOf(subject, numeric);
  const strategy = subject.create(numeric);
  const call = callOf(numeric, { ...example, rowWeights: undefined }); // weights may be negative
  const loss = lossOf(strategy, call);
  if (!(loss >= minimum - rounding * Math.max(1, Math.abs(minimum)))) {
    throw new Error(`the loss is ${loss}, below its minimum ${minimum}`);
  }
  const { student } = call;
  if (subject.reachesMinimum === false || student.columns !== call.teacher.columns) return;
  if (!example.student.every(subject.isRegular)) return;
  // A strategy that needs labels reaches its minimum at student = teacher only if alpha is 0.
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
  // Losses with weights of both signs can cancel almost completely.
  const unweighted = { ...example, rowWeights: undefined };
  const single = callOf(float32, unweighted);
  const double = callOf(float64, unweighted);
  const [strategy32, strategy64] = [subject.create(float32), subject.create(float64)];
  const loss = lossOf(strategy64, double);
  const size = Math.max(1, Math.abs(loss));
  const close = Math.max(tolerance, subject.rounding);
  expectClose('loss', [lossOf(strategy32, single)], [loss], size, close);
  const gradient = gradientOf(strategy64, double).data;
  // Errors are relative to the largest element. If it is almost 0, differences up to `rounding` are
  // allowed.
  const allowed = Math.max(tolerance * largest(gradient), subject.rounding);
  expectClose('gradient', gradientOf(strategy32, single).data, gradient, 1, allowed);
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
  { student, teacher, labels, mask, rowWeights, temperatures }: DistillationCase,
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
    rowWeights: rowWeights?.slice(start, end),
    temperatures: temperatures?.slice(start, end),
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
  const after = callOf(numeric, applyChange(invariance, example));
  const loss = lossOf(strategy, before);
  // The change rounds the inputs themselves.
  const tolerance = 1e3 * roundingOf(subject, numeric);
  expectClose('loss', [lossOf(strategy, after)], [loss], Math.max(1, Math.abs(loss)), tolerance);
  const gradient = gradientOf(strategy, before).toRows();
  const expected = gradientAfterChange(invariance, gradient).flat();
  const scale = Math.max(1, largest(expected));
  expectClose('gradient', gradientOf(strategy, after).data, expected, scale, tolerance);
}
