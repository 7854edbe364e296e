import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DistillationBatch,
  DistillationStrategyBase,
  type DistributionRow,
  DivergenceDistillationStrategyBase,
  FeatureDistillationStrategy,
  type FloatArray,
  float64,
  type GradientSink,
  type IDistillationStrategy,
  JensenShannonDistillationStrategy,
  Matrix,
  ResponseDistillationStrategy,
} from '../../src/index.js';
import { checkGradient, type StrategySubject, strategyLaws } from '../../src/testing/index.js';
import { sineValues } from '../support/tensorValues.js';

const DERIVATIVE = 'the gradient is the derivative of the loss';

/** One law on 300 cases. */
function lawOf(name: string, subject: StrategySubject, seed: number): () => void {
  const laws = strategyLaws(fc, subject, { seed, numRuns: 300 });
  return laws.find((law) => law.name === name)!.check;
}

/** KL(p ‖ q) term by term: near the teacher the terms cancel, and their rounding remains. */
class Divergence<T extends FloatArray> extends DivergenceDistillationStrategyBase<T> {
  constructor(readonly times = 1) {
    super({ temperature: 2 });
  }
  protected override divergence({ p, logP, logQ, slope }: DistributionRow): number {
    let sum = 0;
    for (let j = 0; j < p.length; j++) {
      if (p[j]! > 0) sum += p[j]! * (logP[j]! - logQ[j]!);
      slope[j] = -this.times * p[j]!;
    }
    return sum;
  }
}

function logSumExp(values: Float64Array): number {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

function logSoftmax(values: FloatArray): Float64Array {
  const row = Float64Array.from(values);
  const sum = logSumExp(row);
  return row.map((value) => value - sum);
}

/** A loss of log p and log q of each row, by formulas that lose precision near the minimum. */
abstract class OfLogarithms<T extends FloatArray> extends DistillationStrategyBase<T> {
  /** The loss of a row, and its derivative by the student's logits. */
  protected abstract row(logP: Float64Array, logQ: Float64Array): readonly [number, Float64Array];

  protected override evaluate(
    { student, teacher, rows }: DistillationBatch<T>,
    gradient?: GradientSink<T>,
  ): number {
    let sum = 0;
    for (const row of rows) {
      const logP = logSoftmax(teacher.row(row));
      const [loss, slope] = this.row(logP, logSoftmax(student.row(row)));
      sum += loss;
      gradient?.add(row, slope);
    }
    return sum;
  }
}

/** Σ p (log p − log(q + ε)), with the derivative for an ε of 0. */
class PlainKL<T extends FloatArray> extends OfLogarithms<T> {
  constructor(readonly epsilon = 0) {
    super();
  }
  protected override row(logP: Float64Array, logQ: Float64Array) {
    const terms = logQ.map((log, j) => {
      const guarded = this.epsilon === 0 ? log : Math.log(Math.exp(log) + this.epsilon);
      return Math.exp(logP[j]!) * (logP[j]! - guarded);
    });
    const slope = logQ.map((log, j) => Math.exp(log) - Math.exp(logP[j]!));
    return [terms.reduce((sum, term) => sum + term, 0), slope] as const;
  }
}

/** Rényi's divergence log(Σ p^a q^(1−a)) / (a − 1), by logsumexp. */
class Renyi<T extends FloatArray> extends OfLogarithms<T> {
  constructor(
    readonly order: number,
    readonly times = 1,
  ) {
    super();
  }
  protected override row(logP: Float64Array, logQ: Float64Array) {
    const mixed = logQ.map((log, j) => this.order * logP[j]! + (1 - this.order) * log);
    const whole = logSumExp(mixed);
    const slope = logQ.map((log, j) => this.times * (Math.exp(log) - Math.exp(mixed[j]! - whole)));
    return [whole / (this.order - 1), slope] as const;
  }
}

/**
 * ½ (s − t)² of each element, whose loss or gradient has an error of the size of the declared
 * rounding.
 */
class Blurred<T extends FloatArray> extends DistillationStrategyBase<T> {
  constructor(
    readonly blur: { loss?: number; gradient?: number; float32?: number; times?: number },
  ) {
    super();
  }
  override computeLoss(...call: Parameters<DistillationStrategyBase<T>['computeLoss']>): number {
    return super.computeLoss(...call) + (this.blur.loss ?? 0) * hash(call[0].data);
  }
  protected override evaluate(
    { student, teacher, rows }: DistillationBatch<T>,
    gradient?: GradientSink<T>,
  ): number {
    const { gradient: both = 0, float32 = 0, times = 1 } = this.blur;
    const off = both + (student.numeric.dtype === 'float32' ? float32 : 0);
    let sum = 0;
    for (const row of rows) {
      const t = teacher.row(row);
      const u = Float64Array.from(student.row(row), (s, j) => s - t[j]!);
      for (const each of u) sum += 0.5 * each * each;
      gradient?.add(
        row,
        u.map((each) => times * each + off),
      );
    }
    return sum;
  }
}

/** A pseudo-random number in [−1, 1), unrelated for nearby arguments. */
function hash(values: FloatArray): number {
  let bits = 0;
  for (const word of new Int32Array(Float64Array.from(values).buffer)) {
    bits = Math.imul(bits ^ word, 0x9e3779b1);
    bits ^= bits >>> 15;
  }
  return bits / 2 ** 31;
}

const invariances = ['row-shift', 'row-order', 'column-order'] as const;
const logits = (create: StrategySubject['create'], rounding?: number): StrategySubject => ({
  create,
  values: 'logits',
  invariances,
  ...(rounding !== undefined && { rounding }),
});
const blurred = (
  blur: ConstructorParameters<typeof Blurred>[0],
  rounding?: number,
): StrategySubject => ({
  ...logits(() => new Blurred(blur), rounding),
  values: 'features',
});

function cosine(): StrategySubject {
  const create = <T extends FloatArray>() =>
    new FeatureDistillationStrategy<T>({ metric: 'cosine' });
  const isRegular = (row: readonly number[]) => row.some((value) => value !== 0);
  return { create, values: 'features', invariances: [], isRegular, rounding: 1e-9 };
}

describe.each([1, 2])('law 1, seed %i', (seed) => {
  test.each<[string, StrategySubject]>([
    ['KL as a divergence', { ...logits(() => new Divergence()), ruledOut: true }],
    ['KL of log-probabilities', logits(() => new PlainKL())],
    ['Rényi, order 2', logits(() => new Renyi(2), 1e-9)],
    ['Rényi, order ½', logits(() => new Renyi(0.5), 1e-9)],
    ['Rényi, order 0.99', logits(() => new Renyi(0.99), 1e-9)],
    ['Response', { ...logits(() => new ResponseDistillationStrategy()), ruledOut: true }],
    ['JensenShannon', { ...logits(() => new JensenShannonDistillationStrategy()), ruledOut: true }],
    ['Feature by cosine', cosine()],
    ['a loss with noise below its rounding', blurred({ loss: 5e-10 }, 1e-9)],
  ])('holds for a correct loss: %s', (_, subject) => {
    expect(lawOf(DERIVATIVE, subject, seed)).not.toThrow();
  });

  test.each<[string, StrategySubject]>([
    ['KL as a divergence, times 1 + 1e-5', logits(() => new Divergence(1 + 1e-5))],
    ['KL with an ε in its value alone', logits(() => new PlainKL(1e-8))],
    ['KL with a tiny ε in its value alone', logits(() => new PlainKL(1e-12))],
    ['Rényi, order 2, times 1 + 1e-5', logits(() => new Renyi(2, 1 + 1e-5), 1e-9)],
    ['Rényi, order 0.99, times 1 − 1e-5', logits(() => new Renyi(0.99, 1 - 1e-5), 1e-9)],
    ['squares, times 1 + 1e-5', blurred({ times: 1 + 1e-5 }, 1e-9)],
    ['noise below its rounding, times 1 + 1e-3', blurred({ loss: 5e-10, times: 1.001 }, 1e-9)],
  ])('finds a wrong loss: %s', (_, subject) => {
    expect(lawOf(DERIVATIVE, subject, seed)).toThrow(DERIVATIVE);
  });
});

describe('the declared rounding', () => {
  test.each<[string, Parameters<typeof blurred>[0], number]>([
    [DERIVATIVE, { gradient: 1e-8 }, 2e-8],
    ['float32 agrees with float64', { float32: 1e-8 }, 2e-8],
    [
      'the loss is at least its minimum, and reaches it at student = teacher',
      { gradient: 1e-6 },
      2e-6,
    ],
  ])('allows an error that would break a law without it: %s', (law, blur, rounding) => {
    expect(lawOf(law, blurred(blur), 1)).toThrow(law);
    expect(lawOf(law, blurred(blur, rounding), 1)).not.toThrow();
  });
});

describe('checkGradient near the teacher', () => {
  /**
   * The response loss, with a gradient whose error in one element is this fraction of the largest
   * element.
   */
  function oneElement(error: number): IDistillationStrategy<Float64Array> {
    const right = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    return {
      temperature: 1,
      alpha: 0,
      computeLoss: (...call) => right.computeLoss(...call),
      computeGradient: (...call) => {
        const gradient = right.computeGradient(...call);
        const largest = gradient.data.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
        gradient.data[12345]! += error * largest;
        return gradient;
      },
    };
  }

  test.each([1, 1e-3])('finds one wrong element among 40,000, %f from the teacher', (distance) => {
    const values = Float64Array.from(sineValues([200, 200], 0, 2));
    const away = sineValues([200, 200], 1, distance);
    const student = new Matrix(values, 200, 200);
    const teacher = new Matrix(
      values.map((value, i) => value + away[i]!),
      200,
      200,
    );
    const options = { maxCoordinates: 4, directions: 4 };
    const check = (error: number) =>
      checkGradient(oneElement(error), student, teacher, undefined, options);
    expect(check(0)).toMatchObject({ passed: true, coordinates: 4, directions: 4 });
    expect(check(0.01)).toMatchObject({ passed: false, worst: { direction: expect.any(Number) } });
  });

  test('has a scale of at least the resolution of a difference, and reports it', () => {
    // Saturated: even one step away the slope is 0.
    const flat = Matrix.fromRows([[20, -20]], float64);
    const { passed, worst } = checkGradient(new PlainKL<Float64Array>(), flat, flat);
    expect(passed).toBe(true);
    // Eight roundings of 1, and steps of 1e-4 · 20.
    expect(worst?.scale).toBeGreaterThanOrEqual((8 * Number.EPSILON) / 2e-3);
    expect(worst?.scale).toBeLessThan(1e-9);
  });
});
