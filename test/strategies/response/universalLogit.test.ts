import { expect, test } from 'vitest';
import {
  float32,
  float64,
  HybridDistillationStrategy,
  IGNORE_INDEX,
  Matrix,
  MatrixArena,
  UNLABELED,
  UniversalLogitDistillationStrategy,
} from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { describeKernels } from '../../support/describeKernels.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { COLDER, divergence, KINKED } from './_cases.js';

/**
 * Probabilities that are not too small: their kinks, one for each, are then far enough apart for
 * differences.
 */
const KINKS = { ...KINKED, magnitude: 1.5 } as const;

proveStrategy(UniversalLogitDistillationStrategy, {
  'by default': divergence(() => new UniversalLogitDistillationStrategy(), KINKS),
  'T = 3, alpha = 0.9': divergence(
    () => new UniversalLogitDistillationStrategy({ temperature: 3, alpha: 0.9 }),
    KINKS,
  ),
  'of a larger vocabulary': divergence(() => new UniversalLogitDistillationStrategy(), {
    ...KINKS,
    columns: { student: 3, teacher: 5 },
  }),
  'of a smaller vocabulary, T = 2 without T²': divergence(
    () => new UniversalLogitDistillationStrategy({ temperature: 2, temperatureSquared: false }),
    { ...KINKS, columns: { student: 4, teacher: 2 } },
  ),
  'a colder teacher': divergence(() => new UniversalLogitDistillationStrategy(COLDER), {
    ...KINKS,
    reachesMinimum: false,
  }),
});

/** The logits of these probabilities. */
function logits(...probabilities: number[]): Matrix<Float64Array> {
  return matrix(probabilities.map(Math.log));
}

function close(values: Iterable<number>, expected: readonly number[]): void {
  const rest = [...expected];
  for (const value of values) expect(value).toBeCloseTo(rest.shift()!, 14);
  expect(rest).toEqual([]);
}

const strategy = new UniversalLogitDistillationStrategy<Float64Array>();

describeKernels('UniversalLogitDistillationStrategy by hand', () => {
  test('is at temperature 1 with alpha 0.4, which is CE + 1.5 of the paper by 2.5', () => {
    expect([strategy.temperature, strategy.alpha]).toEqual([1, 0.4]);
    const student = logits(0.5, 0.25, 0.25);
    const teacher = logits(0.25, 0.75);
    const loss = strategy.computeLoss(student, teacher, Int32Array.of(1));
    // 0.75 − 0.5, 0.25 − 0.25, 0.25
    expect(2.5 * loss).toBeCloseTo(Math.log(4) + 1.5 * 0.5, 14);
  });

  test('compares the largest with the largest, and what is beyond the smaller vocabulary with 0', () => {
    const student = logits(0.1, 0.6, 0.3);
    const teacher = logits(0.15, 0.05, 0.45, 0.15, 0.2);
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    // |0.6 − 0.45| + |0.3 − 0.2| + |0.1 − 0.15| + 0.15 + 0.05
    expect(loss).toBeCloseTo(0.5, 14);
    // q (sign − Σ q sign), Σ q sign = 0.6 + 0.3 − 0.1 = 0.8
    close(gradient.data, [0.1 * -1.8, 0.6 * 0.2, 0.3 * 0.2]);
    expect(strategy.computeLoss(teacher, student)).toBeCloseTo(0.5, 14);
  });

  test('a student with more classes unlearns the last of them', () => {
    const { loss, gradient } = strategy.computeLossAndGradient(logits(0.2, 0.7, 0.1), logits(1));
    expect(loss).toBeCloseTo(0.6, 14);
    close(gradient.data, [0.2 * 1.4, 0.7 * -0.6, 0.1 * 1.4]); // Σ q sign = −0.4
  });

  test('does not see which class is which: 0, and a gradient of 0, for any order', () => {
    const student = matrix([0.3, -1, 2.5, 0.1]);
    const teacher = matrix([2.5, 0.1, 0.3, -1]);
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    expect(loss).toBe(0);
    expect([...gradient.data]).toEqual([0, 0, 0, 0]);
  });

  test('equal logits share their derivative', () => {
    const { gradient } = strategy.computeLossAndGradient(
      logits(0.25, 0.25, 0.25, 0.25),
      logits(0.4, 0.3, 0.2, 0.1),
    );
    expect([...gradient.data]).toEqual([0, 0, 0, 0]); // two have a sign of −1, two of 1
    const three = strategy.computeGradient(logits(0.25, 0.5, 0.25), logits(0.4, 0.45, 0.15));
    // q sign: 0.5, then −0.25 and 0.25 for the two that are equal; Σ 0.5
    close(three.data, [-0.125, 0.5 - 0.25, -0.125]);
  });
});

describeKernels('UniversalLogitDistillationStrategy at the edges', () => {
  test('either side may rule classes out', () => {
    const some = matrix([0, -Infinity, 0]);
    expect(strategy.computeLoss(some, matrix([0, 0]))).toBe(0);
    expect(strategy.computeLoss(matrix([0, 0]), some)).toBe(0);
    expect(strategy.computeLoss(matrix([0]), some)).toBe(1);
    expect([...strategy.computeGradient(some, matrix([0, 1])).data]).toContain(0);
  });

  test('does not write to the teacher, whose rows are sorted', () => {
    const teacher = matrix([1, 3, 2], [0, -1, 4]);
    strategy.computeGradient(matrix([1, 2], [3, 4]), teacher);
    expect(teacher.toRows()).toEqual([
      [1, 3, 2],
      [0, -1, 4],
    ]);
  });

  test('standardizes each side over its own classes', () => {
    const standardized = new UniversalLogitDistillationStrategy<Float64Array>({
      standardizeLogits: true,
    });
    const student = matrix([1, 2, 3]); // −1, 0, 1
    const teacher = matrix([-7, -7, 5, 5]); // ±√3 / 2
    const at = strategy.computeLoss(
      matrix([-1, 0, 1]),
      matrix([1, 1, -1, -1].map((z) => z * Math.sqrt(0.75))),
    );
    expect(standardized.computeLoss(student, teacher)).toBeCloseTo(at, 6);
  });
});

/**
 * Rows of values that repeat only after many columns; some of them ruled out, or many equal, as
 * asked.
 */
function rowsOf(columns: number, phase: number, kind: string): number[][] {
  return [0, 1, 2, 3, 4].map((row) =>
    Array.from({ length: columns }, (_, j) => {
      const value = 3 * Math.sin(12.9898 * (row * columns + j) + phase) - 0.1 * phase;
      if (kind === 'ruled out' && j % 3 === 1) return -Infinity;
      return kind === 'equal' ? Math.round(value) : value;
    }),
  );
}

function softmax(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const powers = row.map((z) => Math.exp(z - top));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Loss and gradient of a row, T² · Σ |q − p| by descending order at temperature T. */
function ranked(student: readonly number[], teacher: readonly number[], T: number) {
  const [q, p] = [softmax(student.map((z) => z / T)), softmax(teacher.map((z) => z / T))];
  const order = student.map((_, j) => j).sort((i, j) => student[j]! - student[i]!);
  const ps = [...p].sort((a, b) => b - a);
  const signs = order.map((j, rank) => Math.sign(q[j]! - (ps[rank] ?? 0)));
  const sign = student.map((z) => {
    const own = signs.filter((_, rank) => student[order[rank]!] === z);
    return own.reduce((total, each) => total + each, 0) / own.length;
  });
  const mean = q.reduce((total, each, j) => total + each * sign[j]!, 0);
  const paired = order.map((j, rank) => Math.abs(q[j]! - (ps[rank] ?? 0)));
  const unpaired = ps.slice(student.length);
  const loss = [...paired, ...unpaired].reduce((total, each) => total + each, 0);
  return { loss: T * T * loss, gradient: q.map((each, j) => T * each * (sign[j]! - mean)) };
}

/** −log softmax at a class, and its gradient. */
function crossEntropy(student: readonly number[], label: number) {
  const q = softmax(student);
  return { loss: -Math.log(q[label]!), gradient: q.map((each, j) => each - (j === label ? 1 : 0)) };
}

describeKernels('UniversalLogitDistillationStrategy of many classes', () => {
  const sizes = [
    [1, 1],
    [1, 4],
    [3, 2],
    [10, 10],
    [16, 7],
    [40, 44],
    [1000, 996],
    [996, 1000],
    [1001, 300],
  ] as const;
  const kinds = ['different', 'equal', 'ruled out'];
  const cases = sizes.flatMap(([columns, others]) =>
    kinds.map((kind) => [columns, others, kind] as const),
  );

  test.each(cases)('%i against %i, %s: the definition', (columns, others, kind) => {
    const [temperature, alpha] = [2, 0.3];
    const own = rowsOf(columns, 0.5, kind);
    const theirs = rowsOf(others, 2, kind);
    theirs[4]!.fill(Number.NaN); // nobody reads a row that is masked
    const labels = Int32Array.of(0, UNLABELED, columns - (columns > 1 ? 1 : 0), IGNORE_INDEX, 0);
    if (kind === 'ruled out' && columns % 3 === 2) labels[2] = 0;
    if (columns === 1) labels[2] = 0;
    const mask = [1, 1, 1, 1, 0];
    for (const [numeric, tolerance] of [
      ['float64', 1e-12],
      ['float32', 3e-6],
    ] as const) {
      const [student, teacher] = [own, theirs].map((rows) =>
        numeric === 'float32' ? Matrix.fromRows(rows, float32) : matrix(...rows),
      ) as [Matrix<Float64Array>, Matrix<Float64Array>];
      const ofNumbers = new UniversalLogitDistillationStrategy<Float64Array>({
        temperature,
        alpha,
      });
      const gradient = student.zerosLike();
      gradient.data.fill(7);
      const options = { mask, gradient };
      const { loss } = ofNumbers.computeLossAndGradient(student, teacher, labels, options);
      let expected = 0;
      const derivative = own.map((row) => row.map(() => 0));
      for (const row of [0, 1, 2]) {
        const [z, y] = [student.toRows()[row]!, teacher.toRows()[row]!];
        const hard = labels[row] === UNLABELED ? 0 : alpha;
        const soft = ranked(z, y, temperature);
        const label = crossEntropy(z, Math.max(labels[row]!, 0));
        expected += ((1 - hard) * soft.loss + hard * label.loss) / 3;
        derivative[row] = z.map(
          (_, j) => ((1 - hard) * soft.gradient[j]! + hard * label.gradient[j]!) / 3,
        );
      }
      expect(Math.abs(loss - expected)).toBeLessThan(tolerance * Math.max(expected, 1e-2));
      const largest = Math.max(1e-9, ...derivative.flat().map(Math.abs));
      const flat = derivative.flat();
      const off = gradient.data.map((value, k) => Math.abs(value - flat[k]!) / largest);
      expect(Math.max(...off)).toBeLessThan(tolerance);
    }
  });

  test('at alpha 0 and 1 is one of its parts', () => {
    const [student, teacher] = [rowsOf(50, 0.5, 'different'), rowsOf(60, 2, 'different')];
    const labels = Int32Array.of(3, 4, 5, 6, 7);
    const at = (alpha: number) =>
      new UniversalLogitDistillationStrategy<Float64Array>({ alpha }).computeLossAndGradient(
        matrix(...student),
        matrix(...teacher),
        labels,
      );
    const soft = student.map((row, i) => ranked(row, teacher[i]!, 1));
    const hard = student.map((row, i) => crossEntropy(row, labels[i]!));
    for (const [{ loss, gradient }, parts] of [
      [at(0), soft],
      [at(1), hard],
    ] as const) {
      expect(loss).toBeCloseTo(
        parts.reduce((total, part) => total + part.loss / 5, 0),
        13,
      );
      close(
        gradient.data,
        parts.flatMap((part) => part.gradient.map((value) => value / 5)),
      );
    }
  });

  test('labels that are distributions count the cross-entropy of each class', () => {
    const [student, teacher] = [rowsOf(9, 0.5, 'different'), rowsOf(12, 2, 'different')];
    const labels = matrix(
      ...student.map((row) => row.map((_, j) => (j === 2 ? 0.25 : j === 8 ? 0.75 : 0))),
    );
    const { loss, gradient } = new UniversalLogitDistillationStrategy<Float64Array>({
      alpha: 0.5,
    }).computeLossAndGradient(matrix(...student), matrix(...teacher), labels);
    const parts = student.map((row, i) => {
      const soft = ranked(row, teacher[i]!, 1);
      const [two, eight] = [crossEntropy(row, 2), crossEntropy(row, 8)];
      const mixed = (s: number, a: number, b: number) => (s + 0.25 * a + 0.75 * b) / 10;
      return {
        loss: mixed(soft.loss, two.loss, eight.loss),
        gradient: soft.gradient.map((each, j) => mixed(each, two.gradient[j]!, eight.gradient[j]!)),
      };
    });
    expect(loss).toBeCloseTo(
      parts.reduce((total, part) => total + part.loss, 0),
      13,
    );
    close(
      gradient.data,
      parts.flatMap((part) => part.gradient),
    );
  });

  test('in a hybrid adds to what stands in the gradient, in an arena too', () => {
    const hot = new UniversalLogitDistillationStrategy<Float64Array>({ temperature: 2 });
    const hybrid = new HybridDistillationStrategy<Float64Array>(
      [
        { strategy, weight: 2 },
        { strategy: hot, weight: 3 },
      ],
      { weights: 'free' },
    );
    for (const [columns, others] of [
      [8, 12],
      [12, 8],
      [9, 8],
    ] as const) {
      const [own, theirs] = [rowsOf(columns, 0.5, 'different'), rowsOf(others, 2, 'different')];
      const at1 = own.map((row, i) => ranked(row, theirs[i]!, 1).gradient);
      const at2 = own.map((row, i) => ranked(row, theirs[i]!, 2).gradient);
      const expected = at1.flatMap((row, i) =>
        row.map((value, j) => (2 * value + 3 * at2[i]![j]!) / 5),
      );
      const plain = [matrix(...own), matrix(...theirs)] as const;
      close(hybrid.computeGradient(...plain).data, expected);
      const arena = new MatrixArena(1 << 18);
      // Whose row takes more room to work in than those that are ranked.
      arena.zeros(1, 1000, float64);
      const [student, teacher, gradient] = [columns, others, columns].map((n) =>
        arena.zeros(5, n, float64),
      ) as [Matrix<Float64Array>, Matrix<Float64Array>, Matrix<Float64Array>];
      student.data.set(plain[0].data);
      teacher.data.set(plain[1].data);
      hybrid.computeGradient(student, teacher, undefined, { gradient });
      close(gradient.data, expected);
      expect([...teacher.data]).toEqual([...plain[1].data]);
    }
  });

  test('is 0 with a gradient of 0 for the same probabilities in another order', () => {
    const student = rowsOf(1000, 0.5, 'different');
    const teacher = student.map((row) => [...row].reverse());
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix(...student),
      matrix(...teacher),
    );
    expect(loss).toBeLessThan(1e-14);
    expect(Math.max(...gradient.data.map(Math.abs))).toBeLessThan(1e-16);
  });

  test('tells apart probabilities that float32 does not', () => {
    // Of 1000 equal probabilities, one is 1e-6 more and one less.
    const row = Array.from({ length: 1000 }, () => 0);
    const student = Matrix.fromRows(
      [row.map((_, j) => (j === 3 ? 1e-6 : j === 7 ? -1e-6 : 0))],
      float32,
    );
    const ofSingle = new UniversalLogitDistillationStrategy();
    const loss = ofSingle.computeLoss(student, Matrix.fromRows([row], float32));
    expect(loss / 2e-9).toBeCloseTo(1, 4);
  });
});

describeKernels('UniversalLogitDistillationStrategy refuses', () => {
  test('labels that are no class of the student, though one of the teacher', () => {
    const call = () => strategy.computeLoss(matrix([1, 2]), matrix([1, 2, 3]), Int32Array.of(2));
    expect(refusal(call)).toMatchObject({ code: 'OUT_OF_RANGE', argument: 'labels', row: 0 });
  });

  test('other rows', () => {
    const call = () => strategy.computeLoss(matrix([1, 2]), matrix([1, 2], [3, 4]));
    expect(refusal(call)).toMatchObject({ code: 'SHAPE_MISMATCH', argument: 'teacher' });
  });

  test.each([
    ['student', matrix([Number.NaN, 1]), matrix([1, 2, 3]), 'NOT_FINITE', 0],
    ['teacher', matrix([0, 1]), matrix([1, Infinity, 3]), 'NOT_FINITE', 1],
    ['teacher', matrix([0, 1]), matrix([-Infinity, -Infinity, -Infinity]), 'RULED_OUT', undefined],
    ['student', matrix([-Infinity, -Infinity]), matrix([0, 1, 2]), 'RULED_OUT', undefined],
  ])('a %s of no distribution', (argument, student, teacher, code, column) => {
    const thrown = refusal(() => strategy.computeGradient(student, teacher));
    expect(thrown).toMatchObject({
      code,
      argument,
      row: 0,
      ...(column !== undefined && { column }),
    });
  });

  test('options that it does not have', () => {
    const call = () => new UniversalLogitDistillationStrategy(wrong({ lambda: 1.5 }));
    expect(refusal(call)).toMatchObject({ code: 'UNKNOWN_OPTION' });
  });
});
