import { describe, expect, test } from 'vitest';
import {
  type DistillationBatch,
  DistillationStrategyBase,
  FeatureDistillationStrategy,
  float32,
  float64,
  type GradientSink,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  IGNORE_INDEX,
  LinearProjection,
  Matrix,
  ResponseDistillationStrategy,
} from '../../src/index.js';
import { assertGradient, checkGradient, checkLayerwiseGradient } from '../../src/testing/index.js';
import { wrong } from '../support/refusal.js';

const student = Matrix.fromRows(
  [
    [0.3, -1.2, 2.1],
    [1.5, 0.4, -0.6],
  ],
  float64,
);
const teacher = Matrix.fromRows(
  [
    [1.1, 0.2, 0.9],
    [-0.7, 2.4, 0.1],
  ],
  float64,
);

/** Mean over rows of Σ f(s − t), with a claimed derivative of f. */
function eachEntry(
  { student, teacher, rows, normalizer }: DistillationBatch<Float64Array>,
  gradient: GradientSink<Float64Array> | undefined,
  lossAndSlope: (u: number, index: number) => readonly [number, number],
): number {
  let sum = 0;
  for (const row of rows) {
    const slopes = student.row(row).map((x, j) => {
      const index = row * student.columns + j;
      const [loss, slope] = lossAndSlope(x - teacher.data[index]!, index);
      sum += loss;
      return slope / normalizer;
    });
    gradient?.add(row, slopes);
  }
  return sum / normalizer;
}

/** Σ ½ (s − t)², whose gradient has a wrong factor in one element. */
class OneEntry extends DistillationStrategyBase<Float64Array> {
  constructor(
    readonly index: number,
    readonly factor: number,
  ) {
    super();
  }
  protected override evaluate(
    batch: DistillationBatch<Float64Array>,
    gradient?: GradientSink<Float64Array>,
  ): number {
    const factor = (index: number) => (index === this.index ? this.factor : 1);
    return eachEntry(batch, gradient, (u, index) => [0.5 * u * u, factor(index) * u]);
  }
}

/** Σ ½ (s − t)², whose gradient is multiplied by `factor`. */
class Scaled extends DistillationStrategyBase<Float64Array> {
  constructor(readonly factor: (batch: DistillationBatch<Float64Array>) => number) {
    super();
  }
  protected override evaluate(
    batch: DistillationBatch<Float64Array>,
    gradient?: GradientSink<Float64Array>,
  ): number {
    return eachEntry(batch, gradient, (u) => [0.5 * u * u, this.factor(batch) * u]);
  }
}

/** Softmax of each row. */
function softmax(values: Float64Array): number[] {
  const exponentials = Array.from(values, Math.exp);
  const sum = exponentials.reduce((total, e) => total + e, 0);
  return exponentials.map((e) => e / sum);
}

/** Σ ½ (softmax(s) − softmax(t))², whose gradient lacks the Jacobian of the softmax. */
class WithoutJacobian extends DistillationStrategyBase<Float64Array> {
  protected override evaluate(
    batch: DistillationBatch<Float64Array>,
    gradient?: GradientSink<Float64Array>,
  ): number {
    let sum = 0;
    for (const row of batch.rows) {
      const q = softmax(batch.student.row(row));
      const p = softmax(batch.teacher.row(row));
      const u = q.map((value, j) => value - p[j]!);
      for (const value of u) sum += 0.5 * value * value;
      gradient?.add(
        row,
        Float64Array.from(u, (value) => value / batch.normalizer),
      );
    }
    return sum / batch.normalizer;
  }
}

/** Σ ½ min(|s − t|, 1)², whose gradient ignores the clamp. */
class ValueOnlyClamp extends DistillationStrategyBase<Float64Array> {
  protected override evaluate(
    batch: DistillationBatch<Float64Array>,
    gradient?: GradientSink<Float64Array>,
  ): number {
    return eachEntry(batch, gradient, (u) => [0.5 * Math.min(Math.abs(u), 1) ** 2, u]);
  }
}

describe('checkGradient', () => {
  test('accepts a correct gradient', () => {
    const report = checkGradient(new Scaled(() => 1), student, teacher);
    expect(report).toMatchObject({ passed: true, coordinates: 6, directions: 0, kinks: [] });
    expect(report.maxError).toBeLessThan(1e-6);
  });

  test.each([
    ['twice too large', new Scaled(() => 2), 0.5],
    ['of the wrong sign', new Scaled(() => -1), 2],
    ['not divided by the rows', new Scaled(({ rows }) => rows.length), 0.5],
    ['without the Jacobian of the softmax', new WithoutJacobian(), undefined],
    ['of a value that is clamped and a gradient that is not', new ValueOnlyClamp(), undefined],
  ])('catches a gradient %s', (_, strategy, error) => {
    const report = checkGradient(strategy, student, teacher);
    expect(report.passed).toBe(false);
    expect(report.worst).toMatchObject({ of: 'student', row: expect.any(Number) });
    if (error !== undefined) expect(report.maxError).toBeCloseTo(error, 6);
    else expect(report.maxError).toBeGreaterThan(0.1);
    expect(() => assertGradient(strategy, student, teacher)).toThrow(
      /the gradient is not the derivative of the loss: student row \d, column \d is .+, differences give .+ \(error .+ relative to the scale .+, tolerance 0.000001\)/,
    );
  });

  test('catches an error of one part in 100,000 in one element', () => {
    const report = checkGradient(new OneEntry(4, 1 + 1e-5), student, teacher);
    expect(report).toMatchObject({ passed: false, worst: { row: 1, column: 1 } });
  });

  test('catches an error in one of 40,000 elements by random directions', () => {
    const random = Matrix.zeros(200, 200, float64);
    random.data.forEach((_, i) => {
      random.data[i] = Math.sin(i * i);
    });
    const zeros = random.zerosLike();
    const options = { maxCoordinates: 5, directions: 4 };
    const right = checkGradient(new Scaled(() => 1), random, zeros, undefined, options);
    expect(right).toMatchObject({ passed: true, coordinates: 5, directions: 4 });
    expect(() =>
      assertGradient(new OneEntry(12345, 1.01), random, zeros, undefined, options),
    ).toThrow(/student direction \d+/);
  });

  test('reports a kink, at which the gradient must lie between the two slopes', () => {
    const l1 = new FeatureDistillationStrategy<Float64Array>({ metric: 'l1' });
    const tied = teacher.clone();
    tied.set(0, 1, 5);
    const report = checkGradient(l1, tied, teacher);
    expect(report.passed).toBe(true);
    expect(report.kinks.map(({ row, column }) => [row, column])).toEqual([
      [0, 0],
      [0, 2],
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
    class Outside extends DistillationStrategyBase<Float64Array> {
      protected override evaluate(
        batch: DistillationBatch<Float64Array>,
        gradient?: GradientSink<Float64Array>,
      ): number {
        return eachEntry(batch, gradient, (u) => [Math.abs(u), u === 0 ? 1.5 : Math.sign(u)]);
      }
    }
    const outside = checkGradient(new Outside(), tied, teacher);
    expect(outside.passed).toBe(false);
    expect(outside.kinks).toContainEqual(outside.worst);
  });

  test('accepts the one-sided slope of a kink that is small beside the other elements', () => {
    class SmallHinge extends DistillationStrategyBase<Float64Array> {
      protected override evaluate(
        batch: DistillationBatch<Float64Array>,
        gradient?: GradientSink<Float64Array>,
      ): number {
        return eachEntry(batch, gradient, (u) => [
          0.5 * u * u + 0.001 * Math.max(0, u),
          u + (u > 0 ? 0.001 : 0),
        ]);
      }
    }
    const tied = teacher.clone();
    tied.set(0, 0, 9);
    expect(checkGradient(new SmallHinge(), tied, teacher)).toMatchObject({ passed: true });
  });

  test('knows the slope at a corner of the slope, where differences are far off', () => {
    class SquaredHinge extends DistillationStrategyBase<Float64Array> {
      constructor(readonly atCorner: number) {
        super();
      }
      protected override evaluate(
        batch: DistillationBatch<Float64Array>,
        gradient?: GradientSink<Float64Array>,
      ): number {
        return eachEntry(batch, gradient, (u) => [
          Math.max(0, u) ** 2,
          u === 0 ? this.atCorner : 2 * Math.max(0, u),
        ]);
      }
    }
    for (const value of [0, 1]) {
      const beside = teacher.clone();
      // All other elements, or all but one, are at their corners.
      beside.set(0, 1, teacher.get(0, 1) + value);
      const report = checkGradient(new SquaredHinge(0), beside, teacher);
      expect(report).toMatchObject({ passed: true, kinks: [] });
      expect(checkGradient(new SquaredHinge(1e-5), beside, teacher).passed).toBe(false);
    }
  });

  test('does not accept a jump of the loss as a kink', () => {
    class Jump extends DistillationStrategyBase<Float64Array> {
      protected override evaluate(
        batch: DistillationBatch<Float64Array>,
        gradient?: GradientSink<Float64Array>,
      ): number {
        return eachEntry(batch, gradient, (u) => [u > 0 ? 1 : 0, 5]);
      }
    }
    expect(checkGradient(new Jump(), teacher, teacher).passed).toBe(false);
  });

  test('is as strict with a tiny gradient as with a large one', () => {
    for (const normalizer of [1e-6, 1e9]) {
      const options = { normalizer };
      const right = checkGradient(new Scaled(() => 1), student, teacher, undefined, options);
      expect(right.passed).toBe(true);
      const wrong = checkGradient(new OneEntry(4, 1.001), student, teacher, undefined, options);
      expect(wrong).toMatchObject({ passed: false, worst: { row: 1, column: 1 } });
    }
  });

  test('never accepts a gradient that is not finite', () => {
    const nan = student.zerosLike();
    nan.data[0] = Number.NaN;
    const bare: IDistillationStrategy<Float64Array> = {
      temperature: 1,
      alpha: 0,
      computeLoss: () => 0,
      computeGradient: () => nan,
    };
    expect(checkGradient(bare, student, teacher)).toMatchObject({
      passed: false,
      maxError: Infinity,
      worst: { row: 0, column: 0 },
    });
  });

  test('checks the parameters of a projection', () => {
    const projection = new LinearProjection(3, 2, { bias: true, numeric: float64 });
    const narrow = Matrix.fromRows(
      [
        [1, 0.5],
        [-1, 2],
      ],
      float64,
    );
    const strategy = new FeatureDistillationStrategy({ projection });
    const report = checkGradient(strategy, student, narrow);
    expect(report).toMatchObject({ passed: true, coordinates: 6 + 6 + 2 });
    class Forgetful extends FeatureDistillationStrategy<Float64Array> {
      override computeGradient(
        ...call: Parameters<FeatureDistillationStrategy<Float64Array>['computeGradient']>
      ): Matrix<Float64Array> {
        const gradient = super.computeGradient(...call);
        for (const parameter of this.parameters()) parameter.gradient.data.fill(0);
        return gradient;
      }
    }
    const forgetful = checkGradient(new Forgetful({ projection }), student, narrow);
    expect(forgetful.passed).toBe(false);
    expect(['weight', 'bias']).toContain(forgetful.worst?.of);
  });

  test('checks every layer of a layer-by-layer hybrid, with labels, masks and a projection', () => {
    const hybrid = new HybridDistillationStrategy<Float64Array>([
      { strategy: new ResponseDistillationStrategy(), weight: 0.4 },
      {
        strategy: new FeatureDistillationStrategy({
          projection: new LinearProjection(2, 3, { numeric: float64 }),
        }),
        weight: 0.6,
        layer: 'hidden',
      },
    ]);
    const hidden = Matrix.fromRows(
      [
        [1, 2],
        [3, -1],
        [0.5, 0.2],
      ],
      float64,
    );
    const wide = Matrix.fromRows(
      [
        [1, 0, 1],
        [2, 2, 0],
        [0, 1, 1],
      ],
      float64,
    );
    const report = checkLayerwiseGradient(
      hybrid,
      { output: student, hidden },
      { output: teacher, hidden: wide },
      Int32Array.of(1, IGNORE_INDEX),
      { mask: { hidden: [1, 0, 1] } },
    );
    expect(report).toMatchObject({ passed: true, coordinates: 6 + 6 + 6 });
  });

  test('does not change the student, and skips elements that are ruled out', () => {
    const ruledOut = student.clone();
    ruledOut.set(0, 0, -Infinity);
    const before = ruledOut.clone();
    const impossible = teacher.clone();
    impossible.set(0, 0, -Infinity);
    const report = checkGradient(new ResponseDistillationStrategy(), ruledOut, impossible);
    expect(report.passed).toBe(true);
    expect(ruledOut.data).toEqual(before.data);
  });

  test('requires float64, with a hint that works', () => {
    const strategy = new ResponseDistillationStrategy<Float64Array>();
    const single: Matrix<Float64Array> = wrong(student.as(float32));
    expect(() => checkGradient(strategy, single, teacher)).toThrow(
      'checkGradient: student must be float64, got float32; convert it with matrix.as(float64)',
    );
    expect(() => checkGradient(strategy, student, teacher, undefined, { step: 0 })).toThrow(
      'checkGradient: step must be in [1e-8, 0.1], got 0',
    );
  });
});
