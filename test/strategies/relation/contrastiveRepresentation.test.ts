import { describe, expect, test } from 'vitest';
import {
  ContrastiveMemory,
  ContrastiveRepresentationDistillationStrategy,
  type DistillationBatch,
  type FloatArray,
  float64,
  HybridDistillationStrategy,
  LinearProjection,
  Matrix,
  type NumericTrait,
} from '../../../src/index.js';
import { assertGradient } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { roundedProjection } from '../_cases.js';
import { CONTRASTIVE } from './_cases.js';

/** Accepts a batch of any rows: all rows are of one sample, with the same negatives. */
class OfOneSample<T extends FloatArray> extends ContrastiveRepresentationDistillationStrategy<T> {
  protected override validate(batch: DistillationBatch<T>): void {
    const { rows } = batch.student;
    this.memory.select(
      Array<number>(rows).fill(2),
      Array.from({ length: rows }, () => [0, 4, 1, 2]).flat(),
    );
    super.validate(batch);
  }
}

function rememberedBy<T extends FloatArray>(numeric: NumericTrait<T>): ContrastiveMemory<T> {
  const entries = (step: number): T =>
    numeric.from(Array.from({ length: 15 }, (_, i) => ((i * step) % 17) / 16 - 0.5));
  return ContrastiveMemory.restore({
    columns: 3,
    negatives: 4,
    momentum: 0.5,
    student: entries(5),
    teacher: entries(7),
    generator: 0,
    logNormalizers: { student: 2, teacher: 1 },
  });
}

const common = {
  ...CONTRASTIVE,
  sumOverRows: true,
  allocates: 'the rows selected from the memory, which are embedded all at once',
} as const;

proveStrategy(ContrastiveRepresentationDistillationStrategy, {
  'by default': {
    ...common,
    create: (numeric) => new OfOneSample({ memory: rememberedBy(numeric) }),
    columns: 3,
    invariances: ['row-order', 'student-scale', 'teacher-scale'],
  },
  'at 1': {
    ...common,
    create: (numeric) => new OfOneSample({ memory: rememberedBy(numeric), contrastTemperature: 1 }),
    columns: 3,
    invariances: ['row-order', 'student-scale', 'teacher-scale'],
  },
  'with both projections': {
    ...common,
    create: (numeric) =>
      new OfOneSample({
        memory: rememberedBy(numeric),
        projection: roundedProjection(2, 3, { numeric }),
        teacherProjection: roundedProjection(4, 3, { numeric, name: 'teacher' }),
      }),
    columns: { student: 2, teacher: 4 },
    invariances: ['row-order', 'student-scale'],
    float32Tolerance: 1e-5, // the terms of a projection may nearly cancel
  },
});

type Options = ConstructorParameters<
  typeof ContrastiveRepresentationDistillationStrategy<Float64Array>
>[0];

/** Two samples, whose entries are the unit vectors; Z is 1. */
function axes(momentum = 0.5): ContrastiveMemory<Float64Array> {
  const memory = ContrastiveMemory.restore({
    columns: 2,
    negatives: 1,
    momentum,
    student: Float64Array.of(1, 0, 0, 1),
    teacher: Float64Array.of(1, 0, 0, 1),
    generator: 0,
    logNormalizers: { student: 0, teacher: 0 },
  });
  memory.select([0], [1]);
  return memory;
}

function representation(
  options: Options,
): ContrastiveRepresentationDistillationStrategy<Float64Array> {
  return new ContrastiveRepresentationDistillationStrategy(options);
}

const noise = 1 / 2; // one negative, two samples
const epsilon = 1e-7;

describe('ContrastiveRepresentationDistillationStrategy by hand', () => {
  test("distinguishes the sample's own entry from the others, with either side as anchor", () => {
    const strategy = representation({ memory: axes(), contrastTemperature: 1 });
    const call = [matrix([3, 0]), matrix([0, 2])] as const;
    const { loss, gradient } = strategy.computeLossAndGradient(...call);
    // The student is at its own entry, the teacher at the entry of the other sample.
    const [e, one] = [Math.E, 1];
    const ofStudent =
      -Math.log(e / (e + noise + epsilon)) - Math.log(noise / (one + noise + epsilon));
    const ofTeacher =
      -Math.log(one / (one + noise + epsilon)) - Math.log(noise / (e + noise + epsilon));
    expect(loss).toBeCloseTo(ofStudent + ofTeacher, 14);
    // d/ds of the negative's term: x / (x + c) · entry / ‖s‖, which is orthogonal to s
    expect(gradient.get(0, 0)).toBeCloseTo(0, 15);
    expect(gradient.get(0, 1)).toBeCloseTo(1 / (one + noise + epsilon) / 3, 15);
  });

  test("the teacher's anchor has a derivative by its projection, but none by the student", () => {
    const teacherProjection = new LinearProjection(1, 2, { numeric: float64, name: 'teacher' });
    teacherProjection.parameters()[0]!.value.data.set([0, 1]);
    const plain = representation({ memory: axes() });
    const projected = representation({ memory: axes(), teacherProjection });
    const student = matrix([1, 2]);
    const expected = plain.computeLossAndGradient(student, matrix([0, 1]));
    const received = projected.computeLossAndGradient(student, matrix([1]));
    expect(received).toEqual(expected);
    expect(plain.computeGradient(student, matrix([-5, 3]))).toEqual(expected.gradient);
    expect(projected.parameters().map(({ name }) => name)).toEqual(['teacher weight']);
    expect(teacherProjection.parameters()[0]!.gradient.get(0, 0)).not.toBe(0);
    assertGradient(projected, student, matrix([1]));
  });

  test('one projection for both sides gets the gradients of both sides once', () => {
    const projection = new LinearProjection(2, 2, { numeric: float64 });
    const both = representation({ memory: axes(), projection, teacherProjection: projection });
    const call = [matrix([3, 1]), matrix([-1, 2])] as const;
    expect(both.parameters()).toEqual(projection.parameters());
    assertGradient(both, ...call);
    both.computeGradient(...call);
    const [weight] = projection.parameters();
    const once = weight!.gradient.data.slice();
    both.computeGradient(...call, undefined, { accumulate: true });
    for (const [i, value] of once.entries()) {
      expect(weight!.gradient.data[i]).toBeCloseTo(2 * value, 12);
    }
  });

  test('has a temperature of 0.07 by default', () => {
    expect(representation({ memory: axes() }).contrastTemperature).toBe(0.07);
  });

  test('calibrates Z to the mean of the batch times the samples', () => {
    const memory = axes();
    const strategy = representation({ memory, contrastTemperature: 1 });
    strategy.calibrate(matrix([2, 0]), matrix([-1, 0]));
    const { student, teacher } = memory.logNormalizers!;
    expect(student).toBeCloseTo(Math.log(Math.E + 1), 15); // (e + 1) / 2 · 2
    expect(teacher).toBeCloseTo(Math.log(1 / Math.E + 1), 15);
  });

  test('neither overflows nor loses Z where exp(1 / τ) would overflow', () => {
    const memory = axes();
    const strategy = representation({ memory, contrastTemperature: 1e-4 });
    const call = [matrix([1, 0]), matrix([1, 0])] as const;
    strategy.calibrate(...call);
    expect(memory.logNormalizers!.student).toBeCloseTo(1e4, 8);
    const { loss, gradient } = strategy.computeLossAndGradient(...call);
    expect(loss).toBeCloseTo(2 * (Math.log(1 + noise) + Math.log1p(epsilon / noise)), 6);
    expect(gradient.data.every(Number.isFinite)).toBe(true);
  });

  test('gives a row of zeros a gradient of 0', () => {
    const strategy = representation({ memory: axes() });
    const { loss, gradient } = strategy.computeLossAndGradient(matrix([0, 0]), matrix([0, 0]));
    const x = 1;
    const own = -Math.log(x / (x + noise + epsilon)) - Math.log(noise / (x + noise + epsilon));
    expect(loss).toBeCloseTo(2 * own, 14);
    expect(gradient.toRows()).toEqual([[0, 0]]);
  });

  test('uses the entries that were selected for each row', () => {
    const memory = axes();
    memory.select([1, 0, 1], [0, 1, 1]);
    const strategy = representation({ memory });
    const student = matrix([1, 2], [Number.NaN, 0], [0, 1]);
    const teacher = matrix([1, 0], [Number.NaN, 0], [1, 1]);
    const mask = [1, 0, 1];
    const masked = strategy.computeLossAndGradient(student, teacher, undefined, { mask });
    memory.select([1, 1], [0, 1]);
    const kept = strategy.computeLossAndGradient(matrix([1, 2], [0, 1]), matrix([1, 0], [1, 1]));
    expect(masked.loss).toBe(kept.loss);
    const [first, , last] = masked.gradient.toRows();
    expect([first, last]).toEqual(kept.gradient.toRows());
  });

  test('computeLoss does not change the memory', () => {
    const memory = axes();
    const before = structuredClone([memory.state(), memory.entries]);
    representation({ memory }).computeLossAndGradient(matrix([1, 2]), matrix([2, 1]));
    expect([memory.state(), memory.entries]).toEqual(before);
  });

  test('does not use the temperature of logits that a hybrid passes on', () => {
    const strategy = representation({ memory: axes() });
    const hybrid = new HybridDistillationStrategy([{ strategy, weight: 1 }], { temperature: 4 });
    const call = [matrix([1, 2]), matrix([2, 1])] as const;
    expect(hybrid.computeLoss(...call)).toBe(strategy.computeLoss(...call));
  });
});

describe('ContrastiveRepresentationDistillationStrategy.remember', () => {
  test('moves the entries of the samples towards the rows', () => {
    const memory = axes(0.75);
    representation({ memory }).remember(matrix([0, 3]), matrix([-1e-30, 0]));
    const length = Math.hypot(0.75, 0.25);
    expect(memory.student.get(0, 0)).toBeCloseTo(0.75 / length, 15);
    expect(memory.student.get(0, 1)).toBeCloseTo(0.25 / length, 15);
    expect(memory.teacher.toRows()).toEqual([
      [1, 0],
      [0, 1],
    ]); // (0.75 − 0.25) at length 1
    expect(memory.student.toRows()[1]).toEqual([0, 1]);
  });

  test('accepts several rows of one sample, one after another', () => {
    const [together, apart] = [axes(), axes()];
    together.select([0, 0], [1, 1]);
    const [student, teacher] = [matrix([0, 1], [1, 1]), matrix([1, 2], [2, 1])];
    representation({ memory: together }).remember(student, teacher);
    for (const row of [0, 1]) {
      const call = [student, teacher].map((side) => matrix([...side.row(row)])) as [
        Matrix<Float64Array>,
        Matrix<Float64Array>,
      ];
      representation({ memory: apart }).remember(...call);
    }
    expect(together.state()).toEqual(apart.state());
  });

  test('keeps the length of an entry after a row of zeros or an opposite row', () => {
    const memory = axes();
    representation({ memory }).remember(matrix([0, 0]), matrix([-2, 0]));
    expect(memory.student.toRows()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(memory.teacher.toRows()).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  test('ignores excluded rows', () => {
    const memory = axes();
    memory.select([0, 1], [1, 0]);
    const rows = matrix([Number.NaN, 1], [1, 1]);
    representation({ memory }).remember(rows, rows, [0, 1]);
    expect(memory.student.toRows()[0]).toEqual([1, 0]);
    expect(memory.student.get(1, 0)).toBeGreaterThan(0);
  });

  test('remembers projected rows', () => {
    const projection = new LinearProjection(1, 2, { numeric: float64 });
    projection.parameters()[0]!.value.data.set([0, 1]);
    const memory = axes(0);
    representation({ memory, projection }).remember(matrix([5]), matrix([0, 1]));
    expect(memory.student.toRows()[0]).toEqual([0, 1]);
  });

  test.each<[string, Matrix<Float64Array>, Matrix<Float64Array>, string]>([
    ['student', matrix([1, Number.NaN]), matrix([1, 2]), 'NOT_FINITE'],
    ['teacher', matrix([1, 2]), matrix([1, Number.POSITIVE_INFINITY]), 'NOT_FINITE'],
    ['teacher', matrix([1, 2]), matrix([1e308, 1.7e308]), 'OVERFLOW'],
    ['student', matrix([1, 2, 3]), matrix([1, 2]), 'SHAPE_MISMATCH'],
    ['memory.entries', matrix([1, 2], [1, 2]), matrix([1, 2], [1, 2]), 'SHAPE_MISMATCH'],
  ])('refuses an invalid %s, and changes nothing', (argument, student, teacher, code) => {
    const memory = axes();
    const before = memory.state();
    const strategy = representation({ memory });
    const refused = { argument, code };
    expect(refusal(() => strategy.remember(student, teacher))).toMatchObject(refused);
    expect(refusal(() => strategy.calibrate(student, teacher))).toMatchObject(refused);
    expect(memory.state()).toEqual(before);
  });

  test('refuses to calibrate without rows', () => {
    const strategy = representation({ memory: axes() });
    const call = () => strategy.calibrate(matrix([1, 2]), matrix([1, 2]), [0]);
    expect(refusal(call)).toMatchObject({ argument: 'mask', code: 'EMPTY' });
  });

  test('refuses to calibrate to a value that is not finite, and changes nothing', () => {
    const memory = axes();
    const before = memory.logNormalizers;
    const calibrate = (contrastTemperature: number) =>
      refusal(() =>
        representation({ memory, contrastTemperature }).calibrate(matrix([1, 2]), matrix([1, 2])),
      );
    expect(calibrate(1e-310)).toMatchObject({ argument: 'log Z of the student', code: 'OVERFLOW' });
    memory.teacher.data[3] = Number.NaN;
    const refused = { argument: "the memory's teacher", row: 1, column: 1, code: 'NOT_FINITE' };
    expect(calibrate(0.07)).toMatchObject(refused);
    expect(memory.logNormalizers).toBe(before);
  });
});

describe('ContrastiveRepresentationDistillationStrategy refuses', () => {
  const row = matrix([1, 2]);

  test('a memory that is not calibrated, with a hint that works', () => {
    const memory = new ContrastiveMemory(3, 2, { negatives: 1, numeric: float64 });
    memory.select([0]);
    const refused = refusal(() => representation({ memory }).computeLoss(row, row));
    expect(refused).toMatchObject({ argument: 'memory', code: 'EMPTY' });
    expect(refused.message).toMatch(/call calibrate with the first batch/);
  });

  test('rows that were not selected, with a hint that works', () => {
    const memory = axes();
    const two = matrix([1, 2], [3, 4]);
    const refused = refusal(() => representation({ memory }).computeLoss(two, two));
    expect(refused).toMatchObject({ argument: 'memory.entries', code: 'SHAPE_MISMATCH' });
    expect(refused.message).toMatch(/call memory.select/);
  });

  test('another dtype', () => {
    const strategy = new ContrastiveRepresentationDistillationStrategy<Float32Array>(
      wrong({ memory: axes() }),
    );
    const single = Matrix.fromRows([[1, 2]]);
    const call = () => strategy.computeLoss(single, single);
    expect(refusal(call)).toMatchObject({ argument: 'student', code: 'DTYPE_MISMATCH' });
  });

  test('a teacher weight that is not finite', () => {
    const teacherProjection = new LinearProjection(2, 2, { numeric: float64, name: 'teacher' });
    teacherProjection.parameters()[0]!.value.data.fill(Number.NaN);
    const strategy = representation({ memory: axes(), teacherProjection });
    const refused = { argument: "the projection's teacher weight", code: 'NOT_FINITE' };
    expect(refusal(() => strategy.computeLoss(row, row))).toMatchObject(refused);
    expect(refusal(() => strategy.remember(row, row))).toMatchObject(refused);
  });

  test('a memory that is not finite', () => {
    const memory = axes();
    memory.teacher.set(1, 0, Number.NaN);
    const call = () => representation({ memory }).computeLoss(row, row);
    expect(refusal(call)).toMatchObject({
      argument: "the memory's teacher",
      code: 'NOT_FINITE',
      row: 1,
      column: 0,
    });
  });

  test('a gradient that shares memory with a weight of either projection', () => {
    const projection = new LinearProjection(2, 2, { numeric: float64 });
    const teacherProjection = new LinearProjection(2, 2, { numeric: float64 });
    const strategy = representation({ memory: axes(), projection, teacherProjection });
    for (const each of [projection, teacherProjection]) {
      const { data } = each.parameters()[0]!.value;
      const gradient = new Matrix(data.subarray(0, 2), 1, 2);
      const call = () => strategy.computeGradient(row, row, undefined, { gradient });
      expect(refusal(call)).toMatchObject({ argument: 'gradient', code: 'OVERLAP' });
    }
  });

  const memory = axes();
  const wide = new LinearProjection(2, 3, { numeric: float64 });

  test.each<[string, unknown, string]>([
    ['memory', {}, 'WRONG_TYPE'],
    ['memory', undefined, 'WRONG_TYPE'],
    ['contrastTemperature', { memory, contrastTemperature: -1 }, 'OUT_OF_RANGE'],
    ['projection', { memory, projection: 1 }, 'WRONG_TYPE'],
    ['teacherProjection', { memory, teacherProjection: null }, 'WRONG_TYPE'],
    ['projection', { memory, projection: wide }, 'SHAPE_MISMATCH'],
    ['teacherProjection', { memory, teacherProjection: wide }, 'SHAPE_MISMATCH'],
    ['projection', { memory, projection: new LinearProjection(2, 2) }, 'DTYPE_MISMATCH'],
    ['options', { memory, tau: 1 }, 'UNKNOWN_OPTION'],
  ])('bad %s', (argument, options, code) => {
    expect(refusal(() => representation(wrong(options)))).toMatchObject({
      operation: 'ContrastiveRepresentationDistillationStrategy',
      argument,
      code,
    });
  });
});
