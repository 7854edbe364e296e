import { describe, expect, test } from 'vitest';
import {
  ResponseDistillationStrategy,
  UNLABELED,
  WeightedSoftLabelDistillationStrategy,
} from '../../../src/index.js';
import { checkGradient, type StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { COLDER, labeled, standardized } from './_cases.js';

type WeightedOptions = ConstructorParameters<typeof WeightedSoftLabelDistillationStrategy>[0];

/** The weights are those of its first call, whatever the student is in a later one. */
class FirstWeights extends WeightedSoftLabelDistillationStrategy<Float64Array> {
  protected override describe() {
    const terms = super.describe();
    type Shares = ReturnType<NonNullable<typeof terms.sharesOf>>;
    const held = new Map<number, Shares>();
    const sharesOf: typeof terms.sharesOf = (losses, row) => {
      const shares = held.get(row) ?? terms.sharesOf!(losses, row);
      held.set(row, shares);
      return shares;
    };
    return { ...terms, sharesOf };
  }
}

function lawCase(options: WeightedOptions): StrategySubject {
  return labeled(() => new WeightedSoftLabelDistillationStrategy(options), {
    heldAt: () => new FirstWeights(options),
    reachesMinimum: options?.alpha === 0,
  });
}

proveStrategy(WeightedSoftLabelDistillationStrategy, {
  'by default': lawCase({}),
  'alpha = 0, T = 0.05': lawCase({ alpha: 0, temperature: 0.05 }),
  'T = 100, without T²': lawCase({ temperature: 100, temperatureSquared: false }),
  standardized: {
    ...standardized(() => new WeightedSoftLabelDistillationStrategy({ standardizeLogits: true })),
    labels: 'classes',
    heldAt: () => new FirstWeights({ standardizeLogits: true }),
    reachesMinimum: false,
  },
  'a colder teacher': { ...lawCase(COLDER), reachesMinimum: false },
});

type Options = ConstructorParameters<typeof WeightedSoftLabelDistillationStrategy>[0];

function weighted(options: Options = {}): WeightedSoftLabelDistillationStrategy<Float64Array> {
  return new WeightedSoftLabelDistillationStrategy(options);
}

describe('WeightedSoftLabelDistillationStrategy by hand', () => {
  // q = [1/2, 1/2] and p = [3/4, 1/4]: of class 0, the cross-entropies are ln 2 and ln 4/3
  const student = matrix([0, 0]);
  const teacher = matrix([Math.log(3), 0]);
  const label = Int32Array.of(0);
  const weight = 1 - Math.exp(-Math.LN2 / (Math.log(4 / 3) + 1e-7));
  const divergence = 0.75 * Math.log(1.5) + 0.25 * Math.log(0.5);

  test('is the divergence by 1 − exp(−CE(student) / CE(teacher)), which the gradient holds', () => {
    const strategy = weighted({ temperature: 1, alpha: 0 });
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, label);
    expect(loss).toBeCloseTo(weight * divergence, 15);
    expect(gradient.get(0, 0)).toBeCloseTo(weight * -0.25, 15);
    expect(gradient.get(0, 1)).toBeCloseTo(weight * 0.25, 15);
    // The whole derivative would be another one.
    expect(checkGradient(strategy, student, teacher, label).passed).toBe(false);
  });

  test('by default is the paper’s cross-entropy + 2.25 · T² · w · divergence, over 3.25, at T = 4', () => {
    const strategy = weighted();
    expect([strategy.temperature, strategy.alpha]).toEqual([4, 1 / 3.25]);
    const loss = strategy.computeLoss(student, teacher, label);
    const soft = new ResponseDistillationStrategy<Float64Array>({ temperature: 4 });
    const expected = Math.LN2 + 2.25 * weight * soft.computeLoss(student, teacher);
    expect(3.25 * loss).toBeCloseTo(expected, 14);
  });

  test('the weight is of the raw logits at T = 1, whatever the others are divided by', () => {
    const options = { temperature: 3, alpha: 0, standardizeLogits: true };
    const soft = new ResponseDistillationStrategy<Float64Array>(options);
    const [s, t] = [matrix([0, 0.5]), matrix([Math.log(3), 0])];
    const of = Math.log1p(Math.exp(0.5)) / (Math.log(4 / 3) + 1e-7);
    expect(weighted(options).computeLoss(s, t, label)).toBeCloseTo(
      (1 - Math.exp(-of)) * soft.computeLoss(s, t),
      14,
    );
  });
});

describe('WeightedSoftLabelDistillationStrategy', () => {
  const label = Int32Array.of(0);

  test('a student that is sure of the label is left alone', () => {
    const call = [matrix([1000, 0, 0]), matrix([1, 2, 3]), label] as const;
    const { loss, gradient } = weighted({ alpha: 0 }).computeLossAndGradient(...call);
    expect(loss).toBe(0);
    expect(gradient.toRows()).toEqual([[0, 0, 0]]);
  });

  test('a teacher that is sure of it counts in full', () => {
    const call = [matrix([1, 2, 3]), matrix([1000, 0, 0]), label] as const;
    const soft = new ResponseDistillationStrategy<Float64Array>({ temperature: 4, alpha: 0 });
    const { loss, gradient } = weighted({ alpha: 0 }).computeLossAndGradient(...call);
    const expected = soft.computeLossAndGradient(...call);
    expect(loss).toBeCloseTo(expected.loss, 12);
    expect(gradient.toRows()).toEqual([
      expected.gradient.toRows()[0]!.map((g) => expect.closeTo(g, 13)),
    ]);
  });

  test('a teacher that rules it out counts nothing', () => {
    const call = [matrix([1, 2, 3]), matrix([-Infinity, 0, 0]), label] as const;
    expect(weighted({ alpha: 0 }).computeLoss(...call)).toBe(0);
  });

  test('a student that rules it out is an error, even if the teacher does so too', () => {
    const out = matrix([-Infinity, 0, 1]);
    expect(refusal(() => weighted({ alpha: 0 }).computeLoss(out, out, label))).toMatchObject({
      code: 'RULED_OUT',
      argument: 'student',
      column: 0,
    });
  });

  test('needs a class for every row', () => {
    const two = matrix([1, 2], [3, 4]);
    const call = () => weighted().computeLoss(two, two, Int32Array.of(0, UNLABELED));
    expect(refusal(call)).toMatchObject({ code: 'LABEL_REQUIRED', argument: 'labels', row: 1 });
  });

  test('has no option of its own', () => {
    expect(refusal(() => weighted(wrong({ weight: 2.25 })))).toMatchObject({
      operation: 'WeightedSoftLabelDistillationStrategy',
      code: 'UNKNOWN_OPTION',
    });
  });
});
