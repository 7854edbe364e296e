import { expect, test } from 'vitest';
import {
  CorrelationDistillationStrategy,
  float32,
  float64,
  HybridDistillationStrategy,
  IGNORE_INDEX,
  Matrix,
  MatrixArena,
  UNLABELED,
} from '../../../src/index.js';
import type { StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { describeKernels } from '../../support/describeKernels.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { COLDER, divergence, isVaried, standardized } from './_cases.js';

function probabilitiesOf(row: readonly number[]): number[] {
  const exponentials = row.map(Math.exp);
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

/** Rows in which no class has the same probability as in another row. */
const areApart: NonNullable<StrategySubject['isRegular']> = (row, index, rows) => {
  const q = probabilitiesOf(row);
  return rows.every(
    (other, i) =>
      i === index || probabilitiesOf(other).every((value, j) => Math.abs(value - q[j]!) > 0.01),
  );
};

/**
 * Correlations between rows: the 1e-8 in the norms matters where probabilities hardly differ, and
 * moves the minimum away from student = teacher.
 */
function lawCase(
  options: ConstructorParameters<typeof CorrelationDistillationStrategy>[0],
  more: Partial<StrategySubject> = {},
): StrategySubject {
  return divergence(() => new CorrelationDistillationStrategy(options), {
    columns: 4,
    magnitude: 2,
    ruledOut: false,
    isRegular: (row, index, rows) => isVaried(row) && areApart(row, index, rows),
    reachesMinimum: false,
    sumOverRows: false,
    temperatures: more.sumOverRows === true,
    // If the teacher's rows are equal, the 1e-8 in the norms turns a rounding of 1e-17 into 1e-9.
    rounding: 1e-11,
    ...more,
  });
}

proveStrategy(CorrelationDistillationStrategy, {
  'by default': lawCase({}),
  'T = 2, weighted': lawCase({
    temperature: 2,
    alpha: 0.9,
    interWeight: 0.5,
    intraWeight: 3,
  }),
  'inter alone, without T²': lawCase(
    { intraWeight: 0, temperature: 3, temperatureSquared: false },
    { sumOverRows: true },
  ),
  'intra alone, of more rows': lawCase({ interWeight: 0 }, { rows: 6 }),
  'with classes ruled out': lawCase({}, { ruledOut: true }),
  standardized: {
    ...standardized(() => new CorrelationDistillationStrategy({ standardizeLogits: true })),
    columns: 4,
    isRegular: (row, index, rows) => isVaried(row) && areApart(row, index, rows),
    reachesMinimum: false,
    sumOverRows: false,
    temperatures: false,
  },
  'a colder teacher': lawCase(COLDER),
});

/** Returns logits of rows with these probabilities. */
function logits(...rows: number[][]): Matrix<Float64Array> {
  return matrix(...rows.map((row) => row.map(Math.log)));
}

function correlation(
  options?: ConstructorParameters<typeof CorrelationDistillationStrategy>[0],
): CorrelationDistillationStrategy<Float64Array> {
  return new CorrelationDistillationStrategy<Float64Array>(options);
}

const inter = correlation({ intraWeight: 0 });
const intra = correlation({ interWeight: 0 });

describeKernels('CorrelationDistillationStrategy by hand', () => {
  test("has the defaults of the authors' code", () => {
    const { temperature, alpha, interWeight, intraWeight } = correlation();
    expect([temperature, alpha, interWeight, intraWeight]).toEqual([1, 0.5, 1, 1]);
  });

  test('inter is one minus the correlation of the classes in a row', () => {
    // Less their means q is (−1, 0, 1) / 6 and p (1, −2, 1) / 6: no correlation; or (−2, 1, 1) / 6:
    // ½ √3.
    const student = logits([1 / 6, 2 / 6, 3 / 6]);
    expect(inter.computeLoss(student, logits([3 / 6, 0, 3 / 6]))).toBeCloseTo(1, 12);
    const { loss, gradient } = inter.computeLossAndGradient(student, logits([0, 3 / 6, 3 / 6]));
    expect(loss).toBeCloseTo(1 - Math.sqrt(3) / 2, 6);
    // −d ρ / dq = −(b̂ − ρ â) / ‖a‖, of b̂ = (−2, 1, 1) / √6, â = (−1, 0, 1) / √2 and ‖a‖ = √2 / 6:
    // (1, −2, 1) √3 / 2
    const slope = [1, -2, 1].map((value) => (value * Math.sqrt(3)) / 2);
    const q = [1 / 6, 2 / 6, 3 / 6];
    const mean = slope.reduce((sum, value, j) => sum + value * q[j]!, 0);
    for (const [j, value] of gradient.data.entries()) {
      expect(value).toBeCloseTo(q[j]! * (slope[j]! - mean), 6);
    }
  });

  test('intra is one minus the mean over classes of the correlation between rows', () => {
    // Down the first class (1, 2, 3) / 8 of both sides; down the second (3, 2, 1) / 8 against (3,
    // 1, 2) / 8; the rest is 4 / 8 of the student, where ρ is 0.
    const student = logits([1 / 8, 3 / 8, 4 / 8], [2 / 8, 2 / 8, 4 / 8], [3 / 8, 1 / 8, 4 / 8]);
    const teacher = logits([1 / 8, 3 / 8, 4 / 8], [2 / 8, 1 / 8, 5 / 8], [3 / 8, 2 / 8, 3 / 8]);
    expect(intra.computeLoss(student, teacher)).toBeCloseTo(1 - (1 + 0.5 + 0) / 3, 6);
  });

  test('adds inter and intra with their weights, T², and the label of each row', () => {
    const student = matrix([1, 2, 0], [0, 1, -1], [2, 0, 1]);
    const teacher = matrix([2, 1, 0], [0, 3, 1], [1, 1, 0]);
    const options = { temperature: 2, interWeight: 0.5, intraWeight: 3, alpha: 0.25 };
    const at = (more: object): number =>
      correlation({ ...options, ...more }).computeLoss(student, teacher);
    const soft = at({});
    expect(soft).toBeCloseTo(at({ intraWeight: 0 }) + at({ interWeight: 0 }), 12);
    expect(at({ temperatureSquared: false })).toBeCloseTo(soft / 4, 12);
    const hard = correlation({ ...options, alpha: 1 });
    const labels = Int32Array.of(1, 1, 0);
    const loss = correlation(options).computeLoss(student, teacher, labels);
    expect(loss).toBeCloseTo(0.25 * hard.computeLoss(student, teacher, labels) + 0.75 * soft, 12);
  });

  test('if some rows have a label, each row has its own share of the joint loss', () => {
    const student = matrix([1, 2, 0], [0, 1, -1], [2, 0, 1]);
    const teacher = matrix([2, 1, 0], [0, 3, 1], [1, 1, 0]);
    const hard = correlation({ interWeight: 0, alpha: 1 });
    const together = intra.computeLossAndGradient(student, teacher);
    const labels = Int32Array.of(1, UNLABELED, UNLABELED);
    const { loss, gradient } = hard.computeLossAndGradient(student, teacher, labels);
    const one = hard.computeLossAndGradient(student, teacher, labels, { mask: [1, 0, 0] });
    expect(loss).toBeCloseTo((one.loss + 2 * together.loss) / 3, 12);
    // The labelled row counts in the correlation of the others, although its own soft loss has
    // weight 0.
    for (const [k, value] of gradient.data.entries()) {
      const expected = (one.gradient.data[k]! + 2 * together.gradient.data[k]!) / 3;
      expect(value).toBeCloseTo(expected, 12);
    }
  });
});

describeKernels('CorrelationDistillationStrategy at the edges', () => {
  test('intra of a single row is 1 with gradient 0', () => {
    const { loss, gradient } = intra.computeLossAndGradient(matrix([1, 2, 0]), matrix([0, 5, 1]));
    expect(loss).toBe(1);
    expect(gradient.data.every((value) => value === 0)).toBe(true);
  });

  test('at student = teacher is nearly 0: only the 1e-8 remains', () => {
    const side = matrix([1, 2, 0], [0, 1, -1], [2, 0, 1]);
    expect(correlation().computeLoss(side, side.clone())).toBeLessThan(1e-6);
    // q less its mean is ±1e-5 / 4: ‖a‖² = 2 (1e-5 / 4)² = 1.25e-11
    const faint = matrix([1e-5, 0]);
    expect(inter.computeLoss(faint, faint.clone())).toBeCloseTo(1e-8 / (1.25e-11 + 1e-8), 8);
  });

  test('is finite for equal rows and for equal logits', () => {
    const equal = matrix([1, 2, 0.3], [1, 2, 0.3], [1, 2, 0.3]);
    const flat = matrix([0.1, 0.1, 0.1], [0.7, 0.7, 0.7], [0, 0, 0]);
    for (const [student, teacher] of [
      [equal, flat],
      [flat, equal],
      [equal, equal],
      [flat, flat],
    ] as const) {
      const { loss, gradient } = intra.computeLossAndGradient(student, teacher);
      expect(loss).toBeCloseTo(1, 12);
      expect(gradient.data.every((value) => value === 0)).toBe(true);
      const rows = inter.computeLossAndGradient(student, teacher);
      expect(rows.gradient.data.every(Number.isFinite)).toBe(true);
    }
  });

  test('either side may rule classes out', () => {
    const some = matrix([0, -Infinity, 1], [2, 0, -Infinity]);
    const all = matrix([0, 1, 2], [1, 0, 1]);
    for (const [student, teacher] of [
      [some, all],
      [all, some],
    ] as const) {
      const { loss, gradient } = correlation().computeLossAndGradient(student, teacher);
      expect(loss).toBeGreaterThan(0);
      expect(gradient.data.every(Number.isFinite)).toBe(true);
    }
  });
});

/** Pseudo-random rows; some of their elements are ruled out, or many are equal, on request. */
function rowsOf(rows: number, columns: number, phase: number, kind: string): number[][] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (__, j) => {
      const value = 3 * Math.sin(12.9898 * (row * columns + j) + 0.37 * row + phase);
      if (kind === 'ruled out' && (row + 2 * j) % 5 === 1) return -Infinity;
      return kind === 'equal' ? Math.round(value) : value;
    }),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function softmax(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const powers = row.map((z) => Math.exp(z - top));
  const total = sum(powers);
  return powers.map((power) => power / total);
}

/** 1 − ρ of two lists, and its gradient by the first list, by the quotient rule. */
function apart(x: readonly number[], y: readonly number[]): { loss: number; slope: number[] } {
  const centered = (values: readonly number[]) =>
    values.map((v) => v - sum(values) / values.length);
  const [a, b] = [centered(x), centered(y)];
  const [aa, bb] = [sum(a.map((v) => v * v)), sum(b.map((v) => v * v))];
  const top = sum(a.map((v, i) => v * b[i]!));
  const bottom = Math.sqrt(aa * bb) + 1e-8;
  const slope = a.map((v, i) => {
    const ofBottom = aa > 0 ? (Math.sqrt(bb) * v) / Math.sqrt(aa) : 0;
    return -(b[i]! * bottom - top * ofBottom) / bottom ** 2;
  });
  return { loss: 1 - top / bottom, slope };
}

/**
 * inter of each row and intra, with their gradients by the logits of all rows, at a temperature.
 */
function parts(student: number[][], teacher: number[][], temperature: number) {
  const [q, p] = [student, teacher].map((side) =>
    side.map((row) => softmax(row.map((z) => z / temperature))),
  ) as [number[][], number[][]];
  const byLogits = (slopes: number[][]) =>
    slopes.map((slope, i) => {
      const mean = sum(slope.map((v, j) => v * q[i]![j]!));
      return slope.map((v, j) => (q[i]![j]! * (v - mean)) / temperature);
    });
  const rows = q.map((row, i) => apart(row, p[i]!));
  const columns = q[0]!.map((_, j) =>
    apart(
      q.map((row) => row[j]!),
      p.map((row) => row[j]!),
    ),
  );
  const n = columns.length;
  return {
    inter: rows.map(({ loss }) => loss),
    interGradient: byLogits(rows.map(({ slope }) => slope)),
    intra: sum(columns.map(({ loss }) => loss)) / n,
    intraGradient: byLogits(q.map((_, i) => columns.map(({ slope }) => slope[i]! / n))),
  };
}

describeKernels('CorrelationDistillationStrategy of many rows and classes', () => {
  const sizes = [
    [7, 3],
    [9, 10],
    [40, 33],
    [6, 1000],
    [70, 16],
  ] as const;
  const kinds = ['different', 'equal', 'ruled out'];
  const cases = sizes.flatMap(([rows, columns]) =>
    kinds.map((kind) => [rows, columns, kind] as const),
  );

  test.each(cases)('%i rows of %i, %s: the definition', (rows, columns, kind) => {
    const options = { temperature: 2, alpha: 0.3, interWeight: 0.7, intraWeight: 1.5 };
    const { temperature, alpha, interWeight, intraWeight } = options;
    const own = rowsOf(rows, columns, 0.5, kind);
    const theirs = rowsOf(rows, columns, 2, kind);
    theirs[1]!.fill(Number.NaN); // an excluded row is not read
    const labels = new Int32Array(rows).fill(UNLABELED);
    labels[0] = own[0]!.findIndex(Number.isFinite);
    labels[2] = IGNORE_INDEX;
    const mask = own.map((_, row) => (row === 1 ? 0 : 1));
    const kept = own.map((_, row) => row).filter((row) => row !== 1 && row !== 2);
    for (const [numeric, tolerance] of [
      ['float64', 1e-12],
      ['float32', 3e-6],
    ] as const) {
      const [student, teacher] = [own, theirs].map((side) =>
        numeric === 'float32' ? Matrix.fromRows(side, float32) : matrix(...side),
      ) as [Matrix<Float64Array>, Matrix<Float64Array>];
      const gradient = student.zerosLike();
      gradient.data.fill(7);
      const { loss } = correlation(options).computeLossAndGradient(student, teacher, labels, {
        mask,
        gradient,
      });
      const [z, y] = [student, teacher].map((side) => kept.map((row) => side.toRows()[row]!)) as [
        number[][],
        number[][],
      ];
      const { inter, interGradient, intra, intraGradient } = parts(z, y, temperature);
      const soft = kept.map((row) => (row === 0 ? 1 - alpha : 1) * temperature ** 2);
      const label = labels[0]!;
      const hard = softmax(z[0]!);
      const expected =
        sum(inter.map((value, i) => soft[i]! * (interWeight * value + intraWeight * intra))) -
        alpha * Math.log(hard[label]!);
      const derivative = own.map((row) => row.map(() => 0));
      for (const [i, row] of kept.entries()) {
        derivative[row] = z[i]!.map((_, j) => {
          const ofHard = i === 0 ? alpha * (hard[j]! - (j === label ? 1 : 0)) : 0;
          const ofRow = soft[i]! * interWeight * interGradient[i]![j]!;
          return (ofHard + ofRow + sum(soft) * intraWeight * intraGradient[i]![j]!) / kept.length;
        });
      }
      expect(Math.abs((loss * kept.length) / expected - 1)).toBeLessThan(tolerance);
      const flat = derivative.flat();
      const largest = Math.max(...flat.map(Math.abs));
      const off = gradient.data.map((value, k) => Math.abs(value - flat[k]!) / largest);
      expect(Math.max(...off)).toBeLessThan(tolerance);
    }
  });

  test('is exact in float32 for a student near uniform and a certain teacher', () => {
    const own = rowsOf(12, 400, 0.5, 'different').map((row) => row.map((z) => 1e-3 * z));
    const theirs = rowsOf(12, 400, 2, 'different').map((row) => row.map((z) => 6 * z));
    const [student, teacher] = [Matrix.fromRows(own, float32), Matrix.fromRows(theirs, float32)];
    const strategy = new CorrelationDistillationStrategy();
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    const { inter, interGradient, intra, intraGradient } = parts(
      student.toRows(),
      teacher.toRows(),
      1,
    );
    expect(loss).toBeCloseTo(sum(inter) / 12 + intra, 5);
    const flat = interGradient.flatMap((row, i) =>
      row.map((value, j) => value / 12 + intraGradient[i]![j]!),
    );
    const largest = Math.max(...flat.map(Math.abs));
    // The student's probabilities are rounded to 6e-8, which is 6e-5 of their differences.
    const off = gradient.data.map((value, k) => Math.abs(value - flat[k]!) / largest);
    expect(Math.max(...off)).toBeLessThan(3e-4);
  });

  test('keeps the precision of differences in float32 close to the teacher', () => {
    const theirs = rowsOf(12, 20, 2, 'different');
    const noise = rowsOf(12, 20, 0.5, 'different');
    const teacher = Matrix.fromRows(theirs, float32);
    const student = Matrix.fromRows(
      theirs.map((row, i) => row.map((z, j) => z + 1e-4 * noise[i]![j]!)),
      float32,
    );
    const single = new CorrelationDistillationStrategy().computeLossAndGradient(student, teacher);
    const [z, y] = [student, teacher].map((side) => matrix(...side.toRows())) as [
      Matrix<Float64Array>,
      Matrix<Float64Array>,
    ];
    const double = correlation().computeLossAndGradient(z, y);
    expect(single.loss / double.loss).toBeCloseTo(1, 5);
    const largest = Math.max(...double.gradient.data.map(Math.abs));
    const off = single.gradient.data.map((value, k) => Math.abs(value - double.gradient.data[k]!));
    expect(Math.max(...off) / largest).toBeLessThan(3e-6);
  });

  test('in a hybrid accumulates into the gradient, in an arena too', () => {
    const options = [{ temperature: 2 }, { intraWeight: 0 }, { interWeight: 0 }];
    const [one, two, three] = options.map((each) => ({ strategy: correlation(each), weight: 0.5 }));
    const hybrid = new HybridDistillationStrategy<Float64Array>([one!, two!, three!], {
      weights: 'free',
    });
    const [own, theirs] = [rowsOf(9, 8, 0.5, ''), rowsOf(9, 8, 2, '')];
    const plain = [matrix(...own), matrix(...theirs)] as const;
    const [warm, cold] = [parts(own, theirs, 2), parts(own, theirs, 1)];
    const expected = own.flatMap((row, i) =>
      row.map((_, j) => {
        const ofWarm = 4 * (warm.interGradient[i]![j]! / 9 + warm.intraGradient[i]![j]!);
        return (ofWarm + cold.interGradient[i]![j]! / 9 + cold.intraGradient[i]![j]!) / 2;
      }),
    );
    const arena = new MatrixArena(1 << 18);
    const [student, teacher, gradient] = [0, 1, 2].map(() => arena.zeros(9, 8, float64)) as [
      Matrix<Float64Array>,
      Matrix<Float64Array>,
      Matrix<Float64Array>,
    ];
    student.data.set(plain[0].data);
    teacher.data.set(plain[1].data);
    hybrid.computeGradient(student, teacher, undefined, { gradient });
    const copied = hybrid.computeGradient(...plain);
    for (const [k, value] of expected.entries()) {
      expect(copied.data[k]).toBeCloseTo(value, 13);
      expect(gradient.data[k]).toBeCloseTo(value, 13);
    }
  });
});

describeKernels('CorrelationDistillationStrategy refuses', () => {
  test.each<[string, string, () => unknown]>([
    ['interWeight', 'OUT_OF_RANGE', () => correlation({ interWeight: -1 })],
    ['intraWeight', 'OUT_OF_RANGE', () => correlation({ intraWeight: Number.NaN })],
    ['intraWeight', 'WRONG_TYPE', () => correlation({ intraWeight: wrong('1') })],
    ['options', 'UNKNOWN_OPTION', () => correlation(wrong({ beta: 1 }))],
  ])('bad %s: %s', (argument, code, call) => {
    const operation = 'CorrelationDistillationStrategy';
    expect(refusal(call)).toMatchObject({ operation, argument, code });
  });

  test('a teacher that is not finite, if it is read', () => {
    const student = matrix([1, 2], [3, 4]);
    const teacher = matrix([Number.NaN, 0], [1, 2]);
    const hard = correlation({ alpha: 1 });
    const place = { code: 'NOT_FINITE', argument: 'teacher', row: 0, column: 0 };
    // With two labels, the teacher is not read; with one label, it is read in both rows.
    expect(hard.computeLoss(student, teacher, Int32Array.of(0, 1))).toBeGreaterThan(0);
    const call = () => hard.computeGradient(student, teacher, Int32Array.of(0, UNLABELED));
    expect(refusal(call)).toMatchObject(place);
    expect(refusal(() => correlation().computeLoss(student, teacher))).toMatchObject(place);
  });
});
