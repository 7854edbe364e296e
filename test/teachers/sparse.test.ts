import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AttentionDistillationStrategy,
  type DistributionRow,
  DivergenceDistillationStrategyBase,
  type FloatArray,
  float32,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  Matrix,
  ResponseDistillationStrategy,
  ReverseKLDistillationStrategy,
  type RuledOutBy,
  SparseTargets,
  type SparseTargetsOptions,
  WeightedSoftLabelDistillationStrategy,
} from '../../src/index.js';
import { strategyLaws } from '../../src/testing/index.js';
import golden from '../fixtures/sparse.json' with { type: 'json' };
import { proveSparse, ragged, TAILS, through } from '../prove/sparse.js';
import { describeKernels, runsOf } from '../support/describeKernels.js';
import { exportedDivergences } from '../support/exportedStrategies.js';
import { matrix } from '../support/float64Matrix.js';
import { refusal, wrong } from '../support/refusal.js';

/** The squared Hellinger distance, ½ Σ (√q − √p)², as users write a divergence. */
class Hellinger<T extends FloatArray> extends DivergenceDistillationStrategyBase<T> {
  protected override get ruledOutBy(): RuledOutBy {
    return 'neither';
  }

  protected override divergence({ p, q, slope }: DistributionRow): number {
    let sum = 0;
    for (let j = 0; j < p.length; j++) {
      const u = Math.sqrt(q[j]!) - Math.sqrt(p[j]!);
      sum += 0.5 * u * u;
      slope[j] = 0.5 * Math.sqrt(q[j]!) * u;
    }
    return sum;
  }
}

proveSparse(Hellinger, { tails: ['bucket'] });

describeKernels('Rows of a sparse teacher that keep one or two classes', (kernel) => {
  const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 2 });
  const shortened = (teacher: Matrix<Float64Array>) => {
    const [one, two] = [1, 2].map((k) => SparseTargets.topK(teacher, k, { temperature: 2 }));
    // The choice depends on the elements of the row, so that the order of rows does not matter.
    const counts = Array.from(one!.values.data, (first) => (first > Math.log(0.7) ? 1 : 2));
    const tails = two!.logTail!.map((tail, row) =>
      counts[row] === 1 ? one!.logTail![row]! : tail,
    );
    return ragged(two!, counts, tails);
  };
  const laws = strategyLaws(
    fc,
    {
      create: <T extends FloatArray>() =>
        wrong<IDistillationStrategy<T>>(through(shortened, strategy)),
      values: 'logits',
      ruledOut: true,
      invariances: ['row-order', 'row-shift'],
    },
    runsOf(kernel),
  );
  for (const law of laws) {
    if (law.name === 'float32 agrees with float64') continue; // the strategy computes in float64
    test(law.name, () => expect(law.check).not.toThrow());
  }
});

describeKernels('A sparse teacher', () => {
  test.each(golden.cases)('matches PyTorch: $name', (example) => {
    const { strategy, options, teacher, labels, mask, normalizer } = example;
    const Strategy = exportedDivergences()[strategy]!;
    const { indices, logProbabilities, logTail, columns, temperature } = teacher;
    const { loss, gradient } = new Strategy<Float64Array>(wrong(options)).computeLossAndGradient(
      matrix(...example.student),
      new SparseTargets({
        indices: Int32Array.from(indices),
        logProbabilities: matrix(...logProbabilities),
        columns,
        temperature,
        ...(logTail && { logTail: Float64Array.from(logTail, Number) }),
      }),
      labels && Int32Array.from(labels),
      { ...(mask && { mask }), ...(normalizer && { normalizer }) },
    );
    expect(Math.abs(loss - example.loss)).toBeLessThan(1e-12);
    for (const [i, value] of example.gradient.flat().entries()) {
      expect(Math.abs(gradient.data[i]! - value)).toBeLessThan(1e-12);
    }
  });
});

describe('A sparse teacher', () => {
  // p = [1/2, 1/4, 1/8, 1/8], q = [1/4, 1/4, 1/4, 1/4]; the two largest are kept
  const teacher = matrix([Math.log(4), Math.log(2), 0, 0]);
  const student = matrix([0, 0, 0, 0]);
  const sparse = SparseTargets.topK(teacher, 2);

  test('keeps the largest classes by topK, with their log-probabilities and the tail', () => {
    expect([...sparse.indices]).toEqual([0, 1]);
    expect(sparse.values.get(0, 0)).toBeCloseTo(Math.log(1 / 2), 15);
    expect(sparse.values.get(0, 1)).toBeCloseTo(Math.log(1 / 4), 15);
    expect(sparse.logTail![0]).toBeCloseTo(Math.log(1 / 4), 15);
    const { indices, values } = SparseTargets.topK(Matrix.fromRows([[1, 3, 3, 2]]), 3);
    expect([...indices]).toEqual([1, 2, 3]);
    expect(values.numeric).toBe(float32);
  });

  test('keeps many classes by topK, in any order of the logits', () => {
    const columns = 100_000; // a quadratic cost would take a minute
    const logits = new Matrix(
      Float64Array.from({ length: columns }, (_, j) => j % 50_000),
      1,
      columns,
    );
    const { indices } = SparseTargets.topK(logits, columns);
    expect([...indices.slice(0, 4)]).toEqual([49_999, 99_999, 49_998, 99_998]);
    expect(new Set(indices).size).toBe(columns);
  });

  test('has a tail that counts as one class', () => {
    const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    const { loss, gradient } = strategy.computeLossAndGradient(student, sparse);
    const expected = 0.5 * Math.log(2) + 0 + 0.25 * Math.log(0.25 / 0.5);
    expect(loss).toBeCloseTo(expected, 15);
    // q − p of the three classes; the tail's ¼ is shared in proportion to the student's
    // probabilities
    [-0.25, 0, 0.125, 0.125].forEach((value, j) => {
      expect(gradient.get(0, j)).toBeCloseTo(value, 15);
    });
  });

  test("is renormalized on both sides by tail: 'renormalize'", () => {
    const strategy = new ResponseDistillationStrategy<Float64Array>({
      temperature: 1,
      tail: 'renormalize',
    });
    const { loss, gradient } = strategy.computeLossAndGradient(student, sparse);
    expect(loss).toBeCloseTo((2 / 3) * Math.log(4 / 3) + (1 / 3) * Math.log(2 / 3), 15);
    [1 / 2 - 2 / 3, 1 / 2 - 1 / 3, 0, 0].forEach((value, j) => {
      expect(gradient.get(0, j)).toBeCloseTo(value, 15);
    });
  });

  test("has only the terms of kept classes with tail: 'drop'", () => {
    const strategy = new ResponseDistillationStrategy<Float64Array>({
      temperature: 1,
      tail: 'drop',
    });
    const { loss, gradient } = strategy.computeLossAndGradient(student, sparse);
    expect(loss).toBeCloseTo(0.5 * Math.log(2), 15);
    // −p + q · (½ + ¼)
    [-0.5 + 0.1875, -0.25 + 0.1875, 0.1875, 0.1875].forEach((value, j) => {
      expect(gradient.get(0, j)).toBeCloseTo(value, 15);
    });
    const agreed = new ResponseDistillationStrategy<Float64Array>({ temperature: 1, tail: 'drop' });
    expect(agreed.computeLoss(matrix([3, 3, 0, 0]), sparse)).toBeLessThan(0);
  });

  test('accepts logits where no other class has to be known', () => {
    const logits = matrix([Math.log(4), Math.log(2)]);
    const some = new SparseTargets({ indices: Int32Array.of(0, 1), logits, columns: 4 });
    const strategy = new ResponseDistillationStrategy<Float64Array>({
      temperature: 1,
      tail: 'renormalize',
    });
    expect(strategy.computeLoss(student, some)).toBeCloseTo(
      strategy.computeLoss(student, sparse),
      15,
    );
    const three = new ResponseDistillationStrategy<Float64Array>({
      temperature: 3,
      tail: 'renormalize',
    });
    const at3 = SparseTargets.topK(teacher, 2, { temperature: 3 });
    expect(three.computeLoss(student, some)).toBeCloseTo(three.computeLoss(student, at3), 14);
    expect(three.computeLoss(student, sparse)).toBeCloseTo(three.computeLoss(student, at3), 14);
  });

  test('has the remaining probability as its tail by default, and none where that is rounding', () => {
    const { indices, values: logProbabilities } = sparse;
    const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    const loss = strategy.computeLoss(student, sparse);
    const left = new SparseTargets({ indices, logProbabilities, columns: 4 });
    expect(strategy.computeLoss(student, left)).toBeCloseTo(loss, 14);
    const whole = matrix([Math.log(0.7), Math.log(0.3)]);
    const none = new SparseTargets({ indices, logProbabilities: whole, columns: 4 });
    const ruledOut = matrix([1, 2, -Infinity, -Infinity]);
    expect(Number.isFinite(strategy.computeLoss(ruledOut, none))).toBe(true);
  });

  test('has the precision of its log-probabilities in float32', () => {
    const strategy = new ResponseDistillationStrategy({ temperature: 1 });
    const single = SparseTargets.topK(teacher.as(float32), 2);
    const { loss, gradient } = strategy.computeLossAndGradient(student.as(float32), single);
    const expected = 0.5 * Math.log(2) + 0.25 * Math.log(0.25 / 0.5);
    expect(loss).toBeCloseTo(expected, 6);
    expect(gradient.get(0, 0)).toBeCloseTo(-0.25, 6);
  });

  test('accepts elements without a class at any place, with any value', () => {
    const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    const expected = strategy.computeLossAndGradient(student, sparse);
    const some = new SparseTargets({
      indices: Int32Array.of(-1, 0, -1, 1),
      logProbabilities: matrix([7, Math.log(1 / 2), Number.NaN, Math.log(1 / 4)]),
      columns: 4,
    });
    const { loss, gradient } = strategy.computeLossAndGradient(student, some);
    expect(loss).toBeCloseTo(expected.loss, 15);
    gradient.data.forEach((value, j) => {
      expect(value).toBeCloseTo(expected.gradient.data[j]!, 15);
    });
  });

  test('may have a row that keeps every class, without a tail, beside rows with a tail', () => {
    const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    const rows = [...Array(2)].map(() => [...student.data]);
    const both = new SparseTargets({
      indices: Int32Array.of(0, 1, 2, 3, 0, 1, -1, -1),
      // Rounded to half precision, as stored probabilities are, so that the remainder is an error.
      logProbabilities: matrix([0.4997, 0.25, 0.125, 0.125].map(Math.log), [
        ...sparse.values.data,
        0,
        0,
      ]),
      logTail: Float64Array.of(Number.NaN, Math.log(1 / 4)),
      columns: 4,
    });
    const mean =
      (strategy.computeLoss(student, teacher) + strategy.computeLoss(student, sparse)) / 2;
    expect(strategy.computeLoss(matrix(...rows), both)).toBeCloseTo(mean, 3);
    const gradient = strategy.computeGradient(matrix(...rows), both);
    [-0.25, 0, 0.125, 0.125].forEach((value, j) => {
      expect(2 * gradient.get(0, j)).toBeCloseTo(value, 3);
    });
  });

  test("gives a user's divergence the tail after the kept classes, and the place of the label", () => {
    const seen: { p: number[]; label: number }[] = [];
    class Spy extends Hellinger<Float64Array> {
      protected override divergence(row: DistributionRow): number {
        seen.push({ p: [...row.p], label: row.label });
        return super.divergence(row);
      }
    }
    const places = (tail: (typeof TAILS)[number], label: number) => {
      new Spy({ tail, temperature: 1 }).computeLoss(student, sparse, Int32Array.of(label));
      return seen.pop()!;
    };
    const { p, label } = places('bucket', 1);
    [1 / 2, 1 / 4, 1 / 4].forEach((value, j) => void expect(p[j]).toBeCloseTo(value, 15));
    expect(p).toHaveLength(3);
    expect(label).toBe(1);
    expect(places('drop', 2)).toMatchObject({ label: -1, p: { length: 2 } });
    expect(places('renormalize', -1)).toMatchObject({ label: -1, p: { length: 2 } });
  });

  test("is refused if the slopes of a user's divergence overflow", () => {
    class Steep extends Hellinger<Float32Array> {
      protected override divergence(row: DistributionRow): number {
        const loss = super.divergence(row);
        row.slope[0] = 1e39;
        return loss;
      }
    }
    const single = SparseTargets.topK(teacher.as(float32), 2);
    const call = () => new Steep({ temperature: 1 }).computeGradient(student.as(float32), single);
    expect(refusal(call)).toMatchObject({ code: 'OVERFLOW', argument: 'gradient' });
  });

  test('is accepted by a hybrid, by layer or without layers', () => {
    const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    const hybrid = new HybridDistillationStrategy([{ strategy, weight: 1 }]);
    const expected = strategy.computeLossAndGradient(student, sparse);
    const { loss, gradient } = hybrid.computeLossAndGradient(student, sparse);
    expect(loss).toBe(expected.loss);
    expect(gradient.data).toEqual(expected.gradient.data);
    const byLayer = hybrid.computeLayerwise({ output: student }, { output: sparse });
    expect(byLayer.gradients.output?.data).toEqual(expected.gradient.data);
  });
});

describe('A sparse teacher is refused', () => {
  const logProbabilities = matrix([Math.log(0.5), Math.log(0.25)]);
  const indices = Int32Array.of(3, 1);
  const good = { indices, logProbabilities, columns: 4 };
  const student = matrix([0, 0, 0, 0]);
  const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
  const evaluate = (teacher: SparseTargets<Float64Array>) => () =>
    strategy.computeLoss(student, teacher);

  test.each<[string, object, string, string]>([
    ['neither', { logProbabilities: undefined }, 'MISPLACED_OPTION', 'options'],
    ['both', { logits: logProbabilities }, 'MISPLACED_OPTION', 'options'],
    ['an unknown option', { k: 2 }, 'UNKNOWN_OPTION', 'options'],
    ['no matrix', { logProbabilities: [[0, 1]] }, 'WRONG_TYPE', 'logProbabilities'],
    ['indices of another type', { indices: [3, 1] }, 'WRONG_TYPE', 'indices'],
    ['too few indices', { indices: Int32Array.of(3) }, 'SHAPE_MISMATCH', 'indices'],
    ['fewer classes than are kept', { columns: 1 }, 'OUT_OF_RANGE', 'columns'],
    ['a temperature of 0', { temperature: 0 }, 'OUT_OF_RANGE', 'temperature'],
    ['a tail of another type', { logTail: Float32Array.of(0) }, 'WRONG_TYPE', 'logTail'],
    ['a tail too long', { logTail: new Float64Array(2) }, 'SHAPE_MISMATCH', 'logTail'],
  ])('with %s', (_, options, code, argument) => {
    const create = () =>
      new SparseTargets(wrong<SparseTargetsOptions<Float64Array>>({ ...good, ...options }));
    expect(refusal(create)).toMatchObject({ operation: 'SparseTargets', code, argument });
  });

  test.each<[string, object]>([
    ['temperature', { temperature: 2 }],
    ['logTail', { logTail: Float64Array.of(-1) }],
  ])('with logits and %s', (argument, options) => {
    const { logProbabilities: logits, ...rest } = good;
    const create = () => new SparseTargets({ ...rest, logits, ...options });
    expect(refusal(create)).toMatchObject({ code: 'MISPLACED_OPTION', argument });
  });

  test('if a class is out of range, or occurs twice', () => {
    const out = new SparseTargets({ ...good, indices: Int32Array.of(3, 4) });
    expect(refusal(evaluate(out))).toMatchObject({
      code: 'OUT_OF_RANGE',
      message:
        "ResponseDistillationStrategy.computeLoss: teacher's indices row 0, column 1 must hold classes in [0, 4), or −1 for none, got 4",
    });
    const below = new SparseTargets({ ...good, indices: Int32Array.of(-2, 3) });
    expect(refusal(evaluate(below))).toMatchObject({ code: 'OUT_OF_RANGE', received: '-2' });
    const twice = new SparseTargets({ ...good, indices: Int32Array.of(3, 3) });
    expect(refusal(evaluate(twice))).toMatchObject({ code: 'OUT_OF_RANGE', received: '3 again' });
  });

  test('if a row keeps no class, unless the row is excluded', () => {
    const two = new SparseTargets({
      indices: Int32Array.of(-1, -1, 3, 1),
      logProbabilities: matrix([0, 0], [...logProbabilities.data]),
      columns: 4,
    });
    const both = matrix([0, 0, 0, 0], [0, 0, 0, 0]);
    for (const tail of TAILS) {
      const each = new ResponseDistillationStrategy<Float64Array>({ temperature: 1, tail });
      expect(refusal(() => each.computeLoss(both, two))).toMatchObject({
        code: 'EMPTY',
        message:
          'ResponseDistillationStrategy.computeLoss: teacher row 0 must keep at least one class, got none; exclude the row by IGNORE_INDEX or a mask',
      });
      const alone = each.computeLoss(student, new SparseTargets(good));
      expect(each.computeLoss(both, two, undefined, { mask: [0, 1] })).toBeCloseTo(alone, 15);
      expect(each.computeLoss(both, two, Int32Array.of(-100, -1))).toBeCloseTo(alone, 15);
    }
  });

  test('if its probabilities sum to more than 1, or a number is invalid', () => {
    const much = new SparseTargets({ ...good, logProbabilities: matrix([0, -1]) });
    expect(refusal(evaluate(much))).toMatchObject({ code: 'NOT_A_DISTRIBUTION', row: 0 });
    const short = new SparseTargets({ ...good, logTail: Float64Array.of(-9) });
    expect(refusal(evaluate(short))).toMatchObject({ code: 'NOT_A_DISTRIBUTION', row: 0 });
    const nan = new SparseTargets({ ...good, logProbabilities: matrix([Number.NaN, -1]) });
    expect(refusal(evaluate(nan))).toMatchObject({ code: 'NOT_FINITE', row: 0, column: 0 });
    const tail = new SparseTargets({ ...good, logTail: Float64Array.of(Number.NaN) });
    expect(refusal(evaluate(tail))).toMatchObject({ code: 'NOT_A_DISTRIBUTION', row: 0 });
  });

  test('at another temperature than the stored one, unless the loss does not depend on it', () => {
    const at2 = new ResponseDistillationStrategy<Float64Array>({ temperature: 2 });
    const call = () => at2.computeLoss(student, new SparseTargets(good));
    expect(refusal(call)).toMatchObject({
      code: 'TEMPERATURE',
      message:
        "ResponseDistillationStrategy.computeLoss: teacher must hold log-probabilities at temperature 2, the strategy's, got temperature 1; take SparseTargets.topK(logits, k, { temperature: 2 }), or tail: 'renormalize'",
    });
    const { logProbabilities: logits, ...rest } = good;
    const raw = new SparseTargets({ ...rest, logits });
    expect(refusal(evaluate(raw))).toMatchObject({ code: 'TEMPERATURE', received: 'logits' });
  });

  test('with standardized logits, and by strategies that need every logit', () => {
    const standardized = new ResponseDistillationStrategy<Float64Array>({
      standardizeLogits: true,
      temperature: 1,
    });
    const teacher = new SparseTargets(good);
    expect(refusal(() => standardized.computeLoss(student, teacher))).toMatchObject({
      code: 'MISPLACED_OPTION',
      argument: 'standardizeLogits',
    });
    const attention = new AttentionDistillationStrategy<Float64Array>({ input: 'scores' });
    const call = () => attention.computeLoss(student, wrong<Matrix<Float64Array>>(teacher));
    expect(refusal(call)).toMatchObject({ code: 'WRONG_TYPE', argument: 'teacher' });
  });

  test('if the student rules out a kept class', () => {
    const call = (row: number[]) => () =>
      strategy.computeLoss(matrix(row), new SparseTargets(good));
    expect(refusal(call([0, -Infinity, 0, 0]))).toMatchObject({
      code: 'RULED_OUT',
      argument: 'student',
      row: 0,
      column: 1,
    });
    // The other classes have a quarter of the probability.
    expect(refusal(call([-Infinity, 0, -Infinity, 0]))).toMatchObject({
      code: 'RULED_OUT',
      argument: "the student's tail",
      row: 0,
      message: expect.stringContaining("; take tail: 'renormalize'"),
    });
    const labeled = () =>
      strategy.computeLoss(matrix([-Infinity, 0, 0, 0]), new SparseTargets(good), Int32Array.of(0));
    expect(refusal(labeled)).toMatchObject({ code: 'RULED_OUT', argument: 'student', column: 0 });
  });

  test('if it has no probability for a tail that the student allows', () => {
    const reverse = new ReverseKLDistillationStrategy<Float64Array>({ temperature: 1 });
    const whole = matrix([Math.log(0.5), Math.log(0.5)]);
    const teacher = new SparseTargets({ ...good, logProbabilities: whole });
    expect(refusal(() => reverse.computeLoss(student, teacher))).toMatchObject({
      code: 'RULED_OUT',
      argument: "the teacher's tail",
      row: 0,
    });
  });

  test.each(Object.entries(exportedDivergences()))(
    'if a side rules out all kept classes: %s',
    (_, Strategy) => {
      const renormalized = new Strategy<Float64Array>({ tail: 'renormalize' });
      const nothing = matrix([-Infinity, -Infinity]);
      const of = (logits: Matrix<Float64Array>) =>
        new SparseTargets({ indices, logits, columns: 4 });
      const [onTeacher, onStudent] = [
        () => renormalized.computeLoss(student, of(nothing)),
        () => renormalized.computeLoss(matrix([0, -Infinity, 0, -Infinity]), of(logProbabilities)),
      ];
      expect(refusal(onTeacher)).toMatchObject({ code: 'RULED_OUT', argument: 'teacher', row: 0 });
      expect(refusal(onStudent)).toMatchObject({ code: 'RULED_OUT', argument: 'student', row: 0 });
    },
  );

  test('if all classes are kept and their probabilities sum to less than 1', () => {
    const all = matrix([Math.log(0.2), Math.log(0.1)]);
    const teacher = new SparseTargets({ ...good, logProbabilities: all, columns: 4 });
    expect(Number.isFinite(evaluate(teacher)())).toBe(true); // the tail has the remainder
    const indices = Int32Array.of(0, 1);
    const two = new SparseTargets({ indices, logProbabilities: all, columns: 2 });
    const call = () => strategy.computeLoss(matrix([0, 0]), two);
    expect(refusal(call)).toMatchObject({
      code: 'NOT_A_DISTRIBUTION',
      argument: 'teacher',
      row: 0,
    });
  });

  test('in another dtype, with a hint that works', () => {
    const call = () =>
      new ResponseDistillationStrategy().computeLoss(wrong(student), wrong(single));
    const single = SparseTargets.topK(student.as(float32), 2);
    expect(refusal(call)).toMatchObject({
      code: 'DTYPE_MISMATCH',
      message:
        'ResponseDistillationStrategy.computeLoss: teacher must be float64, got float32; make it of float64 matrices',
    });
  });

  test('as the options of a strategy, and by strategies that need every logit', () => {
    const options = () => strategy.computeLoss(student, wrong<Matrix<Float64Array>>(good));
    expect(refusal(options)).toMatchObject({
      code: 'WRONG_TYPE',
      argument: 'teacher',
      expected: 'be a Matrix or SparseTargets',
    });
  });

  test('by losses that are no function of two distributions, with a hint that names losses that accept it', () => {
    const teacher = wrong<Matrix<Float64Array>>(new SparseTargets(good));
    const weighted = new WeightedSoftLabelDistillationStrategy<Float64Array>();
    const { message, ...error } = refusal(() => weighted.computeLoss(student, teacher));
    expect(error).toMatchObject({
      code: 'WRONG_TYPE',
      argument: 'teacher',
      expected: 'be a Matrix',
    });
    expect(message).toContain('a strategy with the option `tail`');
  });

  test('by a divergence that needs the class of every row', () => {
    class Labeled extends Hellinger<Float64Array> {
      protected override get needsClasses(): boolean {
        return true;
      }
    }
    const labels = Int32Array.of(0);
    const call = () => new Labeled().computeLoss(student, new SparseTargets(good), labels);
    expect(refusal(call)).toMatchObject({ code: 'WRONG_TYPE', argument: 'teacher' });
  });

  test('before a gradient changes, and if an output overlaps its memory', () => {
    const renormalized = new ResponseDistillationStrategy<Float64Array>({
      tail: 'renormalize',
      temperature: 0.01,
    });
    // Its logits at temperature 0.01 overflow.
    const hot = new SparseTargets({ ...good, temperature: 1e308 });
    const gradient = matrix([7, 7, 7, 7]);
    const options = { gradient, accumulate: true };
    expect(() => renormalized.computeGradient(student, hot, undefined, options)).toThrow();
    expect(gradient.toRows()).toEqual([[7, 7, 7, 7]]);

    const memory = new ArrayBuffer(32);
    const shared = new Int32Array(memory, 0, 2);
    shared.set(indices);
    const teacher = new SparseTargets({ ...good, indices: shared });
    const onIndices = new Matrix(new Float64Array(memory), 1, 4);
    const call = () =>
      strategy.computeGradient(student, teacher, undefined, { gradient: onIndices });
    expect(refusal(call)).toMatchObject({ code: 'OVERLAP', argument: 'gradient' });
    expect([...shared]).toEqual([3, 1]);
  });

  test('for a k beyond the number of classes, and for an invalid temperature', () => {
    const operation = 'SparseTargets.topK';
    const call = () => SparseTargets.topK(student, 5);
    expect(refusal(call)).toMatchObject({ operation, code: 'OUT_OF_RANGE' });
    const none = () => SparseTargets.topK(student, 2, { temperature: wrong(null) });
    expect(refusal(none)).toMatchObject({ operation, argument: 'temperature', code: 'WRONG_TYPE' });
  });
});
