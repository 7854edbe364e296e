import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FloatArray, float32, float64, type NumericTrait } from '../../../src/core/numeric.js';
import { NUMBERS } from '../../../src/engine/binaries/numbers.js';
import { DISTRIBUTION_ROW, EXCLUDED_ROW, UNLABELED_ROW } from '../../../src/engine/layout.js';
import { runRows } from '../../../src/engine/rows.js';
import type { RowsCall } from '../../../src/engine/rowsCall.js';
import { MatrixArena, selectKernel } from '../../../src/index.js';
import { activationBoundary, marginReLU } from '../../../src/kernels/rows/activation.js';
import { attentionMap, attentionMapAdjoint } from '../../../src/kernels/rows/attentionMap.js';
import { bernoulliDivergence, binaryCrossEntropy } from '../../../src/kernels/rows/binary.js';
import {
  cosineDistance,
  euclideanDistance,
  huber,
  meanAbsolute,
  meanSquared,
  type RowDistance,
  squaredChord,
} from '../../../src/kernels/rows/distance.js';
import { squaredMargins } from '../../../src/kernels/rows/margins.js';
import { hingeLead, logisticLead, pairwise } from '../../../src/kernels/rows/ranking.js';
import { scoreDistance } from '../../../src/kernels/rows/scores.js';
import { soften, standardize, standardizeAdjoint } from '../../../src/kernels/rows/soften.js';
import { toUnit, unitAdjoint } from '../../../src/kernels/rows/unit.js';
import { kernels } from '../../support/describeKernels.js';

// Compares every kernel with the JavaScript implementation, which the golden values of the
// strategies prove.

const compiled = kernels.filter((name) => name !== 'scalar');

const ROWS = 6;
const COLUMNS = [1, 3, 4, 10, 130, 1000, 5001];

/** Bounds relative to the largest element of a gradient, and to the loss. */
const BOUNDS = { float32: 2e-6, float64: 1e-13 };

interface Case {
  /** The JavaScript implementation of a row's loss, with its derivative. */
  readonly loss: (columns: number) => RowDistance;
  readonly option?: (columns: number) => number;
  readonly otherOption?: number;
  readonly parameters?: (columns: number) => Float64Array;
  readonly teacherColumns?: (columns: number) => number;
  /** True if some elements are −Infinity on both sides. */
  readonly isMasked?: boolean;
  /** True if the first column is finite in all cases. */
  readonly hasFirst?: boolean;
  /** Longer rows take too long. */
  readonly mostColumns?: number;
}

/** Returns the smallest number of channels above 1, as in [channels][positions]. */
function channelsOf(columns: number): number {
  for (let channels = 2; channels < columns; channels++) {
    if (columns % channels === 0) return channels;
  }
  return columns;
}

/** A teacher with three times the channels. */
const wider = (columns: number): number => 3 * columns;

function ofMaps(distance: RowDistance, teacherFactor: number): (columns: number) => RowDistance {
  return (columns) => {
    const channels = channelsOf(columns);
    const room = (): Float64Array => new Float64Array(columns / channels);
    const [x, y, slope] = [room(), room(), room()];
    return (s, sOffset, t, tOffset, _, derivative) => {
      const denominator = attentionMap(s, sOffset, channels, 2, x);
      attentionMap(t, tOffset, teacherFactor * channels, 2, y);
      const loss = distance(x, 0, y, 0, x.length, slope);
      const map = { power: 2, map: x, denominator };
      if (derivative) attentionMapAdjoint(s, sOffset, map, slope, derivative);
      return loss;
    };
  };
}

function ofUnits(distance: RowDistance): (columns: number) => RowDistance {
  return (columns) => (s, sOffset, t, tOffset, _, derivative) => {
    const x = Float64Array.from(s.subarray(sOffset, sOffset + columns));
    const y = Float64Array.from(t.subarray(tOffset, tOffset + columns));
    const norm = toUnit(x, 0, columns, 0);
    toUnit(y, 0, columns, 0);
    const loss = distance(x, 0, y, 0, columns, derivative);
    if (derivative) unitAdjoint(x, norm, derivative, 0, columns, 0);
    return loss;
  };
}

const marginOf = (j: number): number => -(j % 5) / 4;
const marginsOf = (columns: number): Float64Array =>
  Float64Array.from({ length: columns }, (_, j) => marginOf(j));

const CASES: Record<string, Case> = {
  squared: { loss: () => meanSquared, otherOption: Number.NaN },
  'squared with −Infinity': {
    loss: (columns) => scoreDistance(meanSquared, columns),
    otherOption: -Infinity,
    isMasked: true,
  },
  norm: { loss: () => euclideanDistance, otherOption: Number.NaN },
  absolute: { loss: () => meanAbsolute, otherOption: Number.NaN },
  huber: { loss: () => huber(0.75), option: () => 0.75, otherOption: Number.NaN },
  activationBoundary: { loss: () => activationBoundary(0.5), option: () => 0.5 },
  marginReLU: { loss: (columns) => marginReLU(marginsOf(columns)), parameters: marginsOf },
  cosine: { loss: () => cosineDistance, otherOption: Number.NaN },
  'cosine with −Infinity': {
    loss: (columns) => scoreDistance(cosineDistance, columns),
    otherOption: -Infinity,
    isMasked: true,
  },
  patient: { loss: () => squaredChord, otherOption: Number.NaN },
  margins: { loss: () => squaredMargins },
  'margins with −Infinity': { loss: () => squaredMargins, isMasked: true, hasFirst: true },
  logisticRanking: { loss: () => pairwise(logisticLead), mostColumns: 130 },
  'logisticRanking with −Infinity': {
    loss: () => pairwise(logisticLead),
    isMasked: true,
    mostColumns: 130,
  },
  hingeRanking: { loss: () => pairwise(hingeLead(0.3)), option: () => 0.3, mostColumns: 130 },
  squaredDirections: { loss: ofMaps(meanSquared, 1), option: channelsOf },
  'squaredDirections of a wider teacher': {
    loss: ofMaps(meanSquared, 3),
    option: channelsOf,
    teacherColumns: wider,
  },
  'squaredDirections of rows': { loss: ofUnits(meanSquared) },
  absoluteDirections: { loss: ofUnits(meanAbsolute) },
  'absoluteDirections of a wider teacher': {
    loss: ofMaps(meanAbsolute, 3),
    option: channelsOf,
    teacherColumns: wider,
  },
};

/** Numbers in [−2, 2] that are exact in float32. */
function numberAt(i: number, seed: number): number {
  const x = Math.sin(12.9898 * i + 78.233 * seed) * 43758.5453;
  return Math.fround(4 * (x - Math.floor(x)) - 2);
}

function fill(data: FloatArray, seed: number, isMasked: boolean): void {
  for (let i = 0; i < data.length; i++) {
    data[i] = isMasked && i % 3 === 1 ? -Infinity : numberAt(i, seed);
  }
}

interface Rows {
  readonly student: FloatArray;
  readonly teacher: FloatArray;
  readonly gradient: FloatArray;
}

/** Places of the rows: arrays of their own, or an arena. */
const PLACES = {
  arrays: <T extends FloatArray>(
    numeric: NumericTrait<T>,
    columns: number,
    teacherColumns: number,
  ): Rows => ({
    student: numeric.allocate(ROWS * columns),
    teacher: numeric.allocate(ROWS * teacherColumns),
    gradient: numeric.allocate(ROWS * columns),
  }),
  arena: <T extends FloatArray>(
    numeric: NumericTrait<T>,
    columns: number,
    teacherColumns: number,
  ): Rows => {
    const arena = new MatrixArena(200 * (columns + teacherColumns) + 200_000);
    return {
      student: arena.zeros(ROWS, columns, numeric).data,
      teacher: arena.zeros(ROWS, teacherColumns, numeric).data,
      gradient: arena.zeros(ROWS, columns, numeric).data,
    };
  },
};

/** The excluded row is the fourth. */
const EXCLUDED = 3;

/**
 * Compares losses and gradient with the float64 implementation in JavaScript. Errors may be
 * relative to `least`: for a single column, a direction is a sign, whose derivative is 0 but for
 * rounding.
 */
function expectRows(
  name: string,
  call: Omit<RowsCall, 'kernel' | 'labels' | 'weights' | 'rows'> & Partial<RowsCall>,
  gradient: FloatArray,
  rowLoss: (row: number, derivative: Float64Array) => number,
  bound: number,
  least = 0,
): void {
  const { columns } = call;
  const labels = call.labels ?? new Int32Array(ROWS).fill(UNLABELED_ROW);
  labels[EXCLUDED] = EXCLUDED_ROW;
  const weights =
    call.weights ?? Float64Array.from({ length: 2 * ROWS }, (_, i) => (i % 2 ? 0 : 1 + i / 8));
  const kernel = { binary: NUMBERS, name: name.split(' ')[0]! };
  for (const adds of [false, true]) {
    const losses = new Float64Array(ROWS);
    gradient.fill(adds ? 0.25 : Number.NaN);
    const target = { data: gradient, scale: 0.5, adds };
    expect(runRows({ ...call, rows: ROWS, labels, weights, kernel }, losses, () => target)).toBe(
      true,
    );
    for (let row = 0; row < ROWS; row++) {
      const derivative = new Float64Array(columns);
      const loss = row === EXCLUDED ? 0 : rowLoss(row, derivative);
      expect(Math.abs(losses[row]! - loss)).toBeLessThanOrEqual(
        bound * Math.max(Math.abs(loss), least),
      );
      const largest = derivative.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
      let worst = 0;
      for (let j = 0; j < columns; j++) {
        const is = gradient[row * columns + j]! - (adds ? 0.25 : 0);
        worst = Math.max(worst, Math.abs(is - 0.5 * derivative[j]!));
      }
      expect(worst).toBeLessThanOrEqual(
        bound * (Math.max(0.5 * largest, least) + (adds ? 0.25 : 0)),
      );
    }
  }
}

describeNumbers((numeric, columns, place) => {
  const bound = BOUNDS[numeric.dtype];
  const cases = Object.entries(CASES).filter(
    ([, { mostColumns = Infinity }]) => columns <= mostColumns,
  );
  test.each(cases)(
    '%s',
    (name, { loss, option, parameters, isMasked = false, hasFirst = false, ...rest }) => {
      const teacherColumns = rest.teacherColumns?.(columns) ?? columns;
      const { student, teacher, gradient } = PLACES[place](numeric, columns, teacherColumns);
      const distance = loss(columns);
      const call = {
        student,
        teacher,
        columns,
        teacherColumns,
        temperature: 1,
        option: option?.(columns) ?? 0,
        copies: option?.(columns) === 1,
        otherOption: rest.otherOption ?? 0,
        parameters: parameters?.(columns),
      };
      const compare = (): void =>
        expectRows(
          name,
          call,
          gradient,
          (row, derivative) => {
            const weight = 1 + row / 4;
            const at = row * columns;
            const value = distance(student, at, teacher, row * teacherColumns, columns, derivative);
            for (let j = 0; j < columns; j++) derivative[j]! *= weight;
            return weight * value;
          },
          bound,
          columns === call.option || columns === 1 ? 1 : 0,
        );
      fill(student, 1, isMasked);
      fill(teacher, 2, isMasked);
      if (hasFirst) {
        for (let i = 0; i < student.length; i += columns) {
          student[i] = numberAt(i, 1);
          teacher[i] = numberAt(i, 2);
        }
      }
      student.fill(Number.NaN, EXCLUDED * columns, (EXCLUDED + 1) * columns);
      compare();
      // Near a kink of the loss, rounding decides on which side of it a small difference is.
      if (name.startsWith('absoluteDirections') || teacherColumns !== columns) return;
      // The float64 implementation of the comparison loses the digits that both sides share.
      const closeness = numeric.dtype === 'float64' ? 32 : 1024;
      for (let i = 0; i < student.length; i++) {
        if (teacher[i]! > -Infinity) student[i] = teacher[i]! + numberAt(i, 3) / closeness;
      }
      compare();
    },
  );
});

function describeNumbers(
  tests: (numeric: NumericTrait<FloatArray>, columns: number, place: keyof typeof PLACES) => void,
): void {
  for (const kernel of compiled) {
    for (const numeric of [float32, float64] as NumericTrait<FloatArray>[]) {
      for (const place of ['arrays', 'arena'] as const) {
        describe.each(COLUMNS)(
          `${kernel} kernel, ${numeric.dtype}, ${place}, %i columns`,
          (columns) => {
            beforeAll(() => selectKernel(kernel));
            afterAll(() => selectKernel('auto'));
            tests(numeric, columns, place);
          },
        );
      }
    }
  }
}

/** Soft labels of each class: 0, 1, and values between. */
const labelAt = (i: number): number => [0, 1, 0.25, 0, 0.875][i % 5]!;

describeNumbers((numeric, columns, place) => {
  const { student, teacher, gradient } = PLACES[place](numeric, columns, columns);
  const x = new Float64Array(columns);
  const y = new Float64Array(columns);
  const divergence = bernoulliDivergence(columns);
  const crossEntropy = binaryCrossEntropy(columns);

  function expectBinary(labels: Int32Array, alpha: number, standardizes: boolean): void {
    const temperature = 1.5;
    const isLabeled = (row: number): boolean => labels[row] !== UNLABELED_ROW;
    const hardOf = (row: number): number => (isLabeled(row) ? alpha : 0);
    const distributions = numeric.allocate(ROWS * columns).map((_, i) => labelAt(i)) as FloatArray;
    const hasDistributions = labels.includes(DISTRIBUTION_ROW);
    expectRows(
      'binary',
      {
        student,
        teacher,
        columns,
        temperature,
        standardizes,
        labels,
        weights: Float64Array.from({ length: 2 * ROWS }, (_, i) =>
          i % 2 ? hardOf(i >> 1) : 1 - hardOf(i >> 1),
        ),
        distributions: hasDistributions ? distributions : undefined,
      },
      gradient,
      (row, derivative) => {
        const at = row * columns;
        const hard = hardOf(row);
        let loss = 0;
        if (hard < 1) {
          if (standardizes) {
            const deviation = standardize(student, at, temperature, x);
            standardize(teacher, at, temperature, y);
            loss = (1 - hard) * divergence(x, y, derivative);
            standardizeAdjoint(x, deviation, temperature, derivative);
          } else {
            soften(student, at, temperature, x);
            soften(teacher, at, temperature, y);
            loss = (1 - hard) * divergence(x, y, derivative);
            for (let j = 0; j < columns; j++) derivative[j]! /= temperature;
          }
          for (let j = 0; j < columns; j++) derivative[j]! *= 1 - hard;
        }
        const label = hasDistributions ? { values: distributions, offset: at } : labels[row]!;
        return hard > 0 ? loss + crossEntropy(student, at, label, hard, derivative) : loss;
      },
      BOUNDS[numeric.dtype],
    );
  }

  const classes = Int32Array.from({ length: ROWS }, (_, row) =>
    row === 1 ? UNLABELED_ROW : (7 * row) % columns,
  );
  test.each([
    ['no labels', new Int32Array(ROWS).fill(UNLABELED_ROW), 0.3],
    ['classes', classes, 0.3],
    ['classes alone', classes.map((label) => Math.max(label, 0)), 1],
    ['rows of labels', new Int32Array(ROWS).fill(DISTRIBUTION_ROW), 0.3],
  ])('binary, %s', (_, labels, alpha) => {
    fill(student, 1, false);
    fill(teacher, 2, false);
    for (let i = 0; i < student.length; i++) student[i]! *= 8;
    student.fill(Number.NaN, EXCLUDED * columns, (EXCLUDED + 1) * columns);
    if (alpha === 1) teacher.fill(Number.NaN);
    expectBinary(labels, alpha, false);
    if (alpha < 1 && columns > 1) expectBinary(labels, alpha, true);
  });

  test('binary, with classes that are ruled out', () => {
    fill(student, 1, true);
    fill(teacher, 2, true);
    // ruled out by the teacher alone
    for (let i = 0; i < student.length; i += 3) teacher[i] = -Infinity;
    expectBinary(new Int32Array(ROWS).fill(UNLABELED_ROW), 0, false);
  });
});

// A student and a teacher that are close, their divergence, and σ(student) − σ(teacher), computed
// with 60 digits.
const CLOSE = [
  [0.3750009536743164, 0.375, 1.0978187084670067e-13, 2.3022926322781665e-7],
  [-3.499755859375, -3.5, 8.480311561896803e-10, 6.9473373449972546e-6],
  [6.2490234375, 6.25, 9.172659299797982e-10, -1.8788652505005948e-6],
  [-11.984375, -12, 7.539383008618294e-10, 9.67560672897168e-8],
  [0.25, 0.5, 0.0074772684992005225, -0.06028283031605646],
  [0.875, 1.5, 0.03301535064333059, -0.11178944835663243],
  [-31, -40, 3.438228754214625e-14, 3.442052273044329e-14],
  [-5, 30, 5.006715348485749, -0.9933071490756216],
] as const;

describe.each(compiled)('%s kernel', (kernel) => {
  beforeAll(() => selectKernel(kernel));
  afterAll(() => selectKernel('auto'));

  test.each([float32, float64] as NumericTrait<FloatArray>[])(
    'binary is exact for logits that are close, $dtype',
    (numeric) => {
      const bound = BOUNDS[numeric.dtype];
      const rows = CLOSE.length;
      const gradient = numeric.allocate(rows);
      const call = {
        kernel: { binary: NUMBERS, name: 'binary' },
        student: numeric.from(CLOSE.map(([student]) => student)),
        teacher: numeric.from(CLOSE.map(([, teacher]) => teacher)),
        rows,
        columns: 1,
        temperature: 1,
        labels: new Int32Array(rows).fill(UNLABELED_ROW),
        weights: Float64Array.from({ length: 2 * rows }, (_, i) => 1 - (i % 2)),
      };
      const losses = new Float64Array(rows);
      runRows(call, losses, () => ({ data: gradient, scale: 1, adds: false }));
      for (const [i, [student, , loss, slope]] of CLOSE.entries()) {
        if (numeric.round(student) !== student) continue;
        expect(Math.abs(losses[i]! / loss - 1)).toBeLessThan(bound);
        expect(Math.abs(gradient[i]! / slope - 1)).toBeLessThan(bound);
      }
    },
  );

  test.each([
    ['a NaN', Number.NaN, 0],
    ['an infinite student', Infinity, 0],
    ['an infinite teacher', 0, Infinity],
    ['a student that rules out', -Infinity, 0],
    ['a student that makes sure of what the teacher rules out', Infinity, -Infinity],
  ])('returns rows with %s to JavaScript, with a gradient of 0', (_, student, teacher) => {
    for (const name of [
      'squared',
      'norm',
      'absolute',
      'huber',
      'activationBoundary',
      'cosine',
      'patient',
      'margins',
      'logisticRanking',
      'hingeRanking',
      'squaredDirections',
      'absoluteDirections',
      'binary',
    ]) {
      for (const adds of [false, true]) {
        const gradient = new Float32Array(10).fill(0.5);
        const losses = new Float64Array(2);
        const call = {
          kernel: { binary: NUMBERS, name },
          student: Float32Array.of(1, 2, student, 4, 5, 1, 2, 3, 4, 5),
          teacher: Float32Array.of(1, 3, teacher, 4, 5, 1, 2, 3, 5, 5),
          rows: 2,
          columns: 5,
          temperature: 1,
          option: name.endsWith('Transfer') ? 0 : 1,
          otherOption: Number.NaN,
          labels: new Int32Array(2).fill(UNLABELED_ROW),
          weights: Float64Array.of(1, 0, 1, 0),
        };
        runRows(call, losses, () => ({ data: gradient, scale: 1, adds }));
        expect(losses[0]).not.toBeLessThan(Infinity);
        expect(losses[1]).toBeLessThan(10);
        expect(Array.from(gradient.subarray(0, 5))).toEqual(new Array(5).fill(adds ? 0.5 : 0));
      }
    }
  });
});
