import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AttentionDistillationStrategy,
  FeatureDistillationStrategy,
  type FloatArray,
  float64,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  IGNORE_INDEX,
  LinearProjection,
  Matrix,
  type NumericTrait,
  ResponseDistillationStrategy,
  UNLABELED,
  type WeightedStrategy,
} from '../../../src/index.js';
import { arbitraries, checkLayerwiseGradient } from '../../../src/testing/index.js';
import { proveStrategy, proveVanishing } from '../../prove/index.js';
import { refusal, wrong } from '../../support/refusal.js';
import { isNonZero, roundedProjection } from '../_cases.js';

/** The strategy with only the methods of the interface. */
function interfaceOf<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
): IDistillationStrategy<T> {
  return {
    temperature: 1,
    alpha: 0,
    computeLoss: (...call) => strategy.computeLoss(...call),
    computeGradient: (...call) => strategy.computeGradient(...call),
  };
}

proveStrategy(HybridDistillationStrategy, {
  'of two': {
    create: <T extends FloatArray>() =>
      new HybridDistillationStrategy<T>([
        { strategy: new ResponseDistillationStrategy(), weight: 0.6 },
        { strategy: new FeatureDistillationStrategy(), weight: 0.4 },
      ]),
    values: 'logits',
    invariances: ['row-order', 'column-order'],
  },
  'of a cosine, a projection and a bare implementation': {
    create: <T extends FloatArray>(numeric: NumericTrait<T>) =>
      new HybridDistillationStrategy<T>([
        { strategy: new FeatureDistillationStrategy({ metric: 'cosine' }), weight: 0.5 },
        {
          strategy: new FeatureDistillationStrategy<T>({
            projection: roundedProjection(3, 3, { numeric }),
          }),
          weight: 0.25,
        },
        { strategy: interfaceOf(new FeatureDistillationStrategy<T>()), weight: 0.25 },
      ]),
    values: 'features',
    columns: 3,
    isRegular: isNonZero,
    minimum: 0,
    reachesMinimum: false,
    invariances: ['row-order'],
    float32Tolerance: 1e-4,
    rounding: 1e-9,
    allocates: 'the gradient that the bare implementation returns',
  },
  'nested, free weights, one of them 0': {
    create: <T extends FloatArray>() =>
      new HybridDistillationStrategy<T>(
        [
          {
            strategy: new HybridDistillationStrategy<T>(
              [
                { strategy: new ResponseDistillationStrategy({ temperature: 2 }), weight: 3 },
                { strategy: new FeatureDistillationStrategy({ metric: 'huber' }), weight: 1 },
              ],
              { weights: 'normalize' },
            ),
            weight: 2,
          },
          { strategy: new AttentionDistillationStrategy({ input: 'scores' }), weight: 0.5 },
          { strategy: new FeatureDistillationStrategy({ metric: 'l1' }), weight: 0 },
        ],
        { weights: 'free', temperature: 5, alpha: 0.8 },
      ),
    values: 'logits',
    invariances: ['row-order', 'column-order'],
  },
});

// An unusable element is refused also where a tiny weight could hide it. An entry of weight 0 is
// not evaluated, and a layer that only this entry reads is not checked.
proveVanishing(HybridDistillationStrategy, {
  'a vanishing weight': {
    create: <T extends FloatArray>() =>
      new HybridDistillationStrategy<T>(
        [{ strategy: new FeatureDistillationStrategy(), weight: Number.MIN_VALUE }],
        { weights: 'free' },
      ),
    values: 'features',
    invariances: [],
  },
});

type Doubles = Float64Array;

function matrix(...rows: number[][]): Matrix<Doubles> {
  return Matrix.fromRows(rows, float64);
}

const student = matrix([0.5, -1, 2], [1, 0, 0]);
const teacher = matrix([1.5, 0, -1], [0, 2, 1]);
const labels = Int32Array.of(2, UNLABELED);

const response = (options = {}) => new ResponseDistillationStrategy<Doubles>(options);
const feature = (options = {}) => new FeatureDistillationStrategy<Doubles>(options);
const hybrid = (
  strategies: readonly WeightedStrategy<Doubles>[],
  options = {},
): HybridDistillationStrategy<Doubles> => new HybridDistillationStrategy(strategies, options);

/**
 * Σ (s − t)² over all elements, mean over rows: a user's strategy that implements only the
 * interface.
 */
function bare(): IDistillationStrategy<Doubles> {
  const kept = (mask: ArrayLike<number> | undefined, row: number) => !mask || mask[row] === 1;
  return {
    temperature: 1,
    alpha: 0,
    computeLoss: (s, t, _labels, options) => {
      let sum = 0;
      s.data.forEach((x, i) => {
        if (kept(options?.mask, Math.floor(i / s.columns))) sum += (x - t.data[i]!) ** 2;
      });
      return sum / (options?.normalizer ?? s.rows);
    },
    computeGradient: (s, t, _labels, options) => {
      const gradient = s.zerosLike();
      s.data.forEach((x, i) => {
        if (!kept(options?.mask, Math.floor(i / s.columns))) return;
        gradient.data[i] = (2 * (x - t.data[i]!)) / (options?.normalizer ?? s.rows);
      });
      return gradient;
    },
  };
}

describe('HybridDistillationStrategy on one pair of matrices', () => {
  test('is the weighted sum of the losses and gradients of its entries', () => {
    const children = [response(), feature(), feature({ metric: 'cosine' })];
    const weights = [0.5, 0.3, 0.2];
    const whole = hybrid(children.map((strategy, i) => ({ strategy, weight: weights[i]! })));
    const { loss, gradient, components, count } = whole.computeLossAndGradient(
      student,
      teacher,
      labels,
    );
    const losses = children.map((child) => child.computeLoss(student, teacher, labels));
    const gradients = children.map((child) => child.computeGradient(student, teacher, labels));
    expect(loss).toBeCloseTo(
      losses.reduce((sum, l, i) => sum + weights[i]! * l, 0),
      14,
    );
    gradient.data.forEach((value, i) => {
      const expected = gradients.reduce((sum, g, k) => sum + weights[k]! * g.data[i]!, 0);
      expect(value).toBeCloseTo(expected, 14);
    });
    expect(count).toBe(2);
    expect(components?.map((component) => component.loss)).toEqual(
      losses.map((l) => expect.closeTo(l, 14)),
    );
    expect(components?.reduce((sum, { weighted }) => sum + weighted, 0)).toBeCloseTo(loss, 14);
    expect(components?.[1]).toEqual({
      name: 'FeatureDistillationStrategy',
      weight: 0.3,
      loss: expect.closeTo(losses[1]!, 14),
      weighted: expect.closeTo(0.3 * losses[1]!, 14),
      count: 2,
    });
  });

  test('zeroing one weight changes exactly one component', () => {
    const entries = [
      { strategy: response(), weight: 2, name: 'a' },
      { strategy: feature(), weight: 3, name: 'b' },
    ];
    const components = (b: number) =>
      hybrid([entries[0]!, { ...entries[1]!, weight: b }], {
        weights: 'free',
      }).computeLossAndGradient(student, teacher).components;
    const [with3, with0] = [components(3), components(0)];
    expect(with0?.[0]).toEqual(with3?.[0]);
    expect(with0?.[1]).toEqual({ name: 'b', weight: 0, loss: 0, weighted: 0, count: 0 });
  });

  test('an entry of weight 0 is not evaluated, and need not fit', () => {
    const wide = new AttentionDistillationStrategy<Doubles>(); // would refuse these rows
    const whole = hybrid([
      { strategy: response(), weight: 1 },
      { strategy: wide, weight: 0 },
    ]);
    expect(whole.computeLoss(student, teacher)).toBe(response().computeLoss(student, teacher));
  });

  test('temperature and alpha apply to entries without their own, and change nothing in them', () => {
    const open = response();
    const own = response({ temperature: 2, alpha: 0.6 });
    const hot = hybrid(
      [
        { strategy: open, weight: 0.5 },
        { strategy: own, weight: 0.5 },
      ],
      { temperature: 7, alpha: 0.1 },
    );
    const cold = hybrid([{ strategy: open, weight: 1 }], { temperature: 1.5, alpha: 0.9 });
    const inHot = hot.computeLossAndGradient(student, teacher, labels).components;
    expect(inHot?.[0]?.loss).toBeCloseTo(
      response({ temperature: 7, alpha: 0.1 }).computeLoss(student, teacher, labels),
      14,
    );
    expect(inHot?.[1]?.loss).toBeCloseTo(own.computeLoss(student, teacher, labels), 14);
    expect(cold.computeLoss(student, teacher, labels)).toBeCloseTo(
      response({ temperature: 1.5, alpha: 0.9 }).computeLoss(student, teacher, labels),
      14,
    );
    expect([open.temperature, open.alpha]).toEqual([3, 0.3]);
    expect(open.computeLoss(student, teacher, labels)).toBe(
      response({ temperature: 3, alpha: 0.3 }).computeLoss(student, teacher, labels),
    );
  });

  test('temperature and alpha can be changed later, and are 3 and 0.3 by default', () => {
    const whole = hybrid([{ strategy: response(), weight: 1 }]);
    expect([whole.temperature, whole.alpha]).toEqual([3, 0.3]);
    whole.temperature = 5;
    whole.alpha = 1;
    expect(whole.computeLoss(student, teacher, labels)).toBeCloseTo(
      response({ temperature: 5, alpha: 1 }).computeLoss(student, teacher, labels),
      14,
    );
    expect(() => {
      whole.temperature = 0;
    }).toThrow('HybridDistillationStrategy: temperature must be a finite number > 0, got 0');
    expect(whole.temperature).toBe(5);
  });

  test('a strategy with other defaults keeps them unless a hybrid around it sets the option', () => {
    class Warm extends ResponseDistillationStrategy<Doubles> {
      protected override get defaults() {
        return { temperature: 8, alpha: 0.6 };
      }
    }
    const warm = new Warm();
    expect([warm.temperature, warm.alpha]).toEqual([8, 0.6]);
    const around = (options: object) => hybrid([{ strategy: warm, weight: 1 }], options);
    const silent = around({});
    const whole = [warm, silent, hybrid([{ strategy: silent, weight: 1 }])];
    const alone = response({ temperature: 8, alpha: 0.6 }).computeLoss(student, teacher, labels);
    for (const strategy of whole) {
      expect(strategy.computeLoss(student, teacher, labels)).toBe(alone);
    }
    const layers = [{ output: student }, { output: teacher }, labels] as const;
    expect(silent.computeLayerwise(...layers).loss).toBe(alone);
    expect(around({ temperature: 2 }).computeLoss(student, teacher, labels)).toBe(
      response({ temperature: 2, alpha: 0.6 }).computeLoss(student, teacher, labels),
    );
  });

  test('a nested hybrid inherits from the nearest hybrid that sets the option', () => {
    const inner = (options = {}) => hybrid([{ strategy: response(), weight: 1 }], options);
    const outer = hybrid(
      [
        { strategy: inner(), weight: 0.5 },
        { strategy: inner({ temperature: 4 }), weight: 0.5 },
      ],
      { temperature: 9, alpha: 0.2 },
    );
    const { components } = outer.computeLossAndGradient(student, teacher, labels);
    const expected = [9, 4].map((temperature) =>
      response({ temperature, alpha: 0.2 }).computeLoss(student, teacher, labels),
    );
    expect(components?.map(({ loss }) => loss)).toEqual(expected.map((l) => expect.closeTo(l, 13)));
  });

  test('a strategy that implements only the interface is accepted as an entry', () => {
    const whole = hybrid([
      { strategy: bare(), weight: 0.25 },
      { strategy: response(), weight: 0.75 },
    ]);
    const options = { mask: [0, 1], normalizer: 3 };
    const { loss, gradient, components } = whole.computeLossAndGradient(
      student,
      teacher,
      labels,
      options,
    );
    const own = bare().computeLoss(student, teacher, labels, options);
    const other = response().computeLoss(student, teacher, labels, options);
    expect(loss).toBeCloseTo(0.25 * own + 0.75 * other, 14);
    expect(gradient.toRows()[0]).toEqual([0, 0, 0]);
    expect(components?.[0]).toMatchObject({ name: 'Object', count: 1, loss: own });
    const buffer = student.zerosLike();
    whole.computeGradient(student, teacher, labels, { ...options, gradient: buffer });
    expect(buffer.data).toEqual(gradient.data);
  });

  test('the results of an entry that implements only the interface are checked', () => {
    const returns = (loss: number, gradient: Matrix<Doubles>): IDistillationStrategy<Doubles> => ({
      temperature: 1,
      alpha: 0,
      computeLoss: () => loss,
      computeGradient: () => gradient,
    });
    const call = (strategy: IDistillationStrategy<Doubles>) => () =>
      hybrid([{ strategy, weight: 1 }]).computeGradient(student, teacher);
    expect(refusal(call(returns(Number.NaN, student)))).toMatchObject({ code: 'OVERFLOW' });
    expect(refusal(call(returns(1, matrix([1]))))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument: 'gradient',
    });
    const nan = student.clone();
    nan.set(1, 1, Number.NaN);
    expect(refusal(call(returns(1, nan)))).toMatchObject({
      code: 'OVERFLOW',
      argument: 'gradient',
      row: 1,
      column: 1,
    });
  });

  test('an entry that fails in its gradient leaves the output buffer unchanged', () => {
    const projection = new LinearProjection(3, 3, { numeric: float64 });
    const own = feature({ projection });
    own.computeGradient(student, teacher);
    const before = projection.parameters()[0]!.gradient.clone();
    const fails = (): never => {
      throw new Error('no gradient today');
    };
    for (const computeGradient of [fails, () => matrix([Number.NaN]), () => matrix([1])]) {
      const whole = hybrid(
        [
          { strategy: own, weight: 1 },
          {
            strategy: { temperature: 1, alpha: 0, computeLoss: () => 1, computeGradient },
            weight: 1,
          },
        ],
        { weights: 'free' },
      );
      const buffer = student.zerosLike();
      buffer.data.fill(7);
      const options = { gradient: buffer, accumulate: true };
      expect(() => whole.computeGradient(student, teacher, undefined, options)).toThrow();
      expect(() => whole.computeLayerwise({ output: student }, { output: teacher })).toThrow();
      expect(buffer.data.every((value) => value === 7)).toBe(true);
      expect(projection.parameters()[0]!.gradient).toEqual(before);
    }
  });

  test('gradients whose sum overflows leave the output buffer unchanged', () => {
    const part = { strategy: new FeatureDistillationStrategy(), weight: 1 };
    const whole = new HybridDistillationStrategy([part, part], { weights: 'free' });
    const [large, zero] = [Matrix.fromRows([[1], [1.5e38]]), Matrix.fromRows([[0], [0]])];
    for (const accumulate of [false, true]) {
      const gradient = Matrix.fromRows([[7], [7]]);
      const call = () => whole.computeGradient(large, zero, undefined, { gradient, accumulate });
      if (accumulate) call();
      else expect(call).not.toThrow();
      const twice = Matrix.fromRows([[7], [3e38]]);
      const options = { gradient: twice, accumulate: true };
      expect(refusal(() => whole.computeGradient(large, zero, undefined, options))).toMatchObject({
        code: 'OVERFLOW',
      });
      expect(twice.toRows()).toEqual([[7], [Math.fround(3e38)]]);
    }
  });

  test('an entry must return a number', () => {
    const odd: IDistillationStrategy<Doubles> = { ...bare(), computeLoss: () => wrong('1') };
    const call = () => hybrid([{ strategy: odd, weight: 1 }]).computeLoss(student, teacher);
    expect(call).toThrow(TypeError);
    expect(refusal(call)).toMatchObject({
      code: 'WRONG_TYPE',
      argument: 'computeLoss',
      received: '"1"',
    });
  });

  test('getStrategies returns entries and weights that cannot be changed', () => {
    const entries = [
      { strategy: response(), weight: 3, name: 'logits' },
      { strategy: feature(), weight: 1 },
    ];
    const whole = hybrid(entries, { weights: 'normalize' });
    expect(whole.getStrategies()).toEqual([
      { ...entries[0], weight: 0.75 },
      { ...entries[1], weight: 0.25 },
    ]);
    entries.pop();
    entries[0]!.weight = 100;
    expect(whole.getStrategies()).toHaveLength(2);
    expect(whole.getStrategies()[0]?.weight).toBe(0.75);
    expect(Object.isFrozen(whole.getStrategies()[0])).toBe(true);
    const layer = { student: 'a', teacher: 'b' };
    const bound = hybrid([{ strategy: response(), weight: 1, layer }]);
    layer.student = 'c';
    expect(bound.getStrategies()[0]?.layer).toEqual({ student: 'a', teacher: 'b' });
  });

  test('parameters lists the parameters of all entries, each once', () => {
    const projection = new LinearProjection(3, 3, { numeric: float64 });
    const one = feature({ projection });
    const whole = hybrid([
      { strategy: one, weight: 0.5 },
      { strategy: feature({ projection }), weight: 0.5 },
    ]);
    expect(whole.parameters()).toEqual(projection.parameters());
    // Both entries add to the same gradient; two halves are the gradient of one entry alone.
    one.computeGradient(student, teacher);
    const alone = projection.parameters()[0]!.gradient.clone();
    whole.computeGradient(student, teacher);
    projection.parameters()[0]!.gradient.data.forEach((value, i) => {
      expect(value).toBeCloseTo(alone.data[i]!, 14);
    });
  });
});

describe('the weights of a hybrid', () => {
  const of = (weights: number[], rule?: string) => () =>
    hybrid(
      weights.map((weight) => ({ strategy: response(), weight })),
      rule ? { weights: rule } : {},
    );

  test.each([[[1]], [[0.4, 0.3, 0.3]], [[0.1, 0.2, 0.3, 0.4]], [[0.5, 0.5 + 9e-7]], [[0, 1]]])(
    '%j are accepted as a sum of 1',
    (weights) => {
      expect(of(weights)).not.toThrow();
    },
  );

  test.each([
    [[0.5, 0.3], 'weights must sum to 1 (±1e-6), got 0.8 (0.5 + 0.3)'],
    [[0.9], 'weights must sum to 1 (±1e-6), got 0.9'],
    [[0.5, 0.5 + 2e-6], 'weights must sum to 1 (±1e-6), got 1.000002 (0.5 + 0.500002)'],
  ])('%j are refused', (weights, message) => {
    expect(refusal(of(weights))).toMatchObject({
      code: 'WEIGHT_SUM',
      operation: 'HybridDistillationStrategy',
      argument: 'weights',
      message: `HybridDistillationStrategy: ${message}; or choose weights: 'normalize' or 'free'`,
    });
  });

  test.each([
    [[1.5, -0.5], undefined, 'be in [0, 1]'],
    [[Number.NaN, 1], undefined, 'be in [0, 1]'],
    [[-1, 2], 'normalize', 'be a finite number ≥ 0'],
    [[1, Infinity], 'free', 'be a finite number ≥ 0'],
  ])('%j as %s are out of range', (weights, rule, expected) => {
    expect(refusal(of(weights, rule))).toMatchObject({ code: 'OUT_OF_RANGE', expected });
  });

  test("a weight above 1 is refused with a hint at 'free'; one below 0 or infinite without", () => {
    const message = 'HybridDistillationStrategy: strategies[0].weight must be in [0, 1], got';
    expect(refusal(of([25, 1])).message).toBe(
      `${message} 25; or choose weights: 'normalize' or 'free'`,
    );
    expect(refusal(of([-1, 2])).message).toBe(`${message} -1`);
    expect(refusal(of([Infinity, 1])).message).toBe(`${message} Infinity`);
  });

  test("'normalize' divides by the sum, which must be above 0; 'free' accepts any sum", () => {
    const loss = (weights: number[], rule: string) =>
      of(weights, rule)().computeLoss(student, teacher);
    const one = response().computeLoss(student, teacher);
    expect(loss([2, 6], 'normalize')).toBeCloseTo(one, 14);
    expect(loss([2, 6], 'free')).toBeCloseTo(8 * one, 13);
    expect(loss([0, 0], 'free')).toBe(0);
    expect(refusal(of([0, 0], 'normalize'))).toMatchObject({ code: 'WEIGHT_SUM' });
    expect(refusal(of([1e308, 1e308], 'normalize'))).toMatchObject({ code: 'WEIGHT_SUM' });
  });

  test.each<[string, () => unknown, object]>([
    ['strategies', () => hybrid([]), { code: 'EMPTY' }],
    ['strategies', () => hybrid(wrong(undefined)), { code: 'WRONG_TYPE' }],
    ['strategies[0]', () => hybrid(wrong([response()])), { code: 'WRONG_TYPE' }],
    ['strategies[0]', () => hybrid(wrong([null])), { code: 'WRONG_TYPE' }],
    [
      'strategies[0].strategy',
      () => hybrid(wrong([{ strategy: {}, weight: 1 }])),
      { code: 'WRONG_TYPE' },
    ],
    [
      'strategies[0].weight',
      () => hybrid(wrong([{ strategy: response(), weight: '1' }])),
      { code: 'WRONG_TYPE' },
    ],
    [
      'strategies[0].layer',
      () => hybrid(wrong([{ strategy: response(), weight: 1, layer: { student: 'a' } }])),
      { code: 'WRONG_TYPE' },
    ],
    [
      'strategies[0].name',
      () => hybrid(wrong([{ strategy: response(), weight: 1, name: 1 }])),
      { code: 'WRONG_TYPE' },
    ],
    [
      'weights',
      () => hybrid([{ strategy: response(), weight: 1 }], { weights: 'sum' }),
      { code: 'OUT_OF_RANGE' },
    ],
    [
      'options',
      () => hybrid([{ strategy: response(), weight: 1 }], { normalise: true }),
      { code: 'UNKNOWN_OPTION' },
    ],
  ])('refuses bad %s', (argument, call, fields) => {
    expect(refusal(call)).toMatchObject({
      operation: 'HybridDistillationStrategy',
      argument,
      ...fields,
    });
  });

  test('an overflowing sum is an error', () => {
    const whole = of([1e308, 1e308, 1e308], 'free')();
    expect(refusal(() => whole.computeLoss(student, teacher))).toMatchObject({ code: 'OVERFLOW' });
    expect(
      refusal(() => whole.computeLayerwise({ output: student }, { output: teacher })),
    ).toMatchObject({ code: 'OVERFLOW' });
  });
});

describe('computeLayerwise', () => {
  const attention = matrix([0.5, 0.5], [0.9, 0.1], [0.2, 0.8], [0.3, 0.7]);
  const teacherAttention = matrix([0.6, 0.4], [0.8, 0.2], [0.5, 0.5], [0.3, 0.7]);
  const hidden = matrix([1, 2], [3, -1]);
  const wide = matrix([1, 0, 1], [2, 2, 0]);
  const studentLayers = { output: student, attention, hidden };
  const teacherLayers = { output: teacher, attention: teacherAttention, hidden: wide };

  function transformer(): {
    whole: HybridDistillationStrategy<Doubles>;
    projection: LinearProjection<Doubles>;
    parts: readonly [
      IDistillationStrategy<Doubles>,
      IDistillationStrategy<Doubles>,
      IDistillationStrategy<Doubles>,
    ];
  } {
    const projection = new LinearProjection(2, 3, { numeric: float64 });
    const parts = [
      response(),
      new AttentionDistillationStrategy<Doubles>(),
      feature({ projection }),
    ] as const;
    const whole = hybrid([
      { strategy: parts[0], weight: 0.4 },
      { strategy: parts[1], weight: 0.3, layer: 'attention' },
      { strategy: parts[2], weight: 0.3, layer: 'hidden' },
    ]);
    return { whole, projection, parts };
  }

  test('routes each entry to its own pair of layers', () => {
    const { whole, parts } = transformer();
    const { loss, gradients, components } = whole.computeLayerwise(
      studentLayers,
      teacherLayers,
      labels,
    );
    const expected = {
      output: parts[0].computeGradient(student, teacher, labels),
      attention: parts[1].computeGradient(attention, teacherAttention),
      hidden: parts[2].computeGradient(hidden, wide),
    };
    const losses = [
      parts[0].computeLoss(student, teacher, labels),
      parts[1].computeLoss(attention, teacherAttention),
      parts[2].computeLoss(hidden, wide),
    ];
    expect(components.map((component) => component.loss)).toEqual(losses);
    expect(components.map(({ count }) => count)).toEqual([2, 4, 2]);
    expect(loss).toBeCloseTo(0.4 * losses[0]! + 0.3 * losses[1]! + 0.3 * losses[2]!, 15);
    expect(Object.keys(gradients)).toEqual(['output', 'attention', 'hidden']);
    for (const [name, weight] of [
      ['output', 0.4],
      ['attention', 0.3],
      ['hidden', 0.3],
    ] as const) {
      gradients[name]?.data.forEach((value, i) => {
        expect(value).toBeCloseTo(weight * expected[name].data[i]!, 15);
      });
    }
  });

  test('has exact gradients with respect to every layer and to the projection', () => {
    const { logits, features, probabilities, masks } = arbitraries(fc);
    const layers = (width: number) =>
      fc.record({
        output: logits({ rows: 2, columns: 3 }),
        attention: probabilities({ rows: 4, columns: 2 }),
        hidden: features({ rows: 3, columns: width }),
      });
    const matrices = (rows: Record<string, number[][]>) =>
      Object.fromEntries(Object.entries(rows).map(([name, values]) => [name, matrix(...values)]));
    fc.assert(
      fc.property(layers(2), layers(3), masks(4), (students, teachers, attentionMask) => {
        const { whole } = transformer();
        const report = checkLayerwiseGradient(
          whole,
          matrices(students),
          matrices(teachers),
          labels,
          {
            mask: { attention: attentionMask },
            normalizer: { hidden: 5 },
          },
        );
        expect(report).toMatchObject({ passed: true, coordinates: 6 + 8 + 6 + 6 });
      }),
    );
  });

  test('weights the gradients of a projection, and accumulates them on request', () => {
    const { whole, projection, parts } = transformer();
    parts[2].computeGradient(hidden, wide);
    const [weight] = projection.parameters();
    const alone = weight!.gradient.clone();
    whole.computeLayerwise(studentLayers, teacherLayers);
    weight!.gradient.data.forEach((value, i) => {
      expect(value).toBeCloseTo(0.3 * alone.data[i]!, 15);
    });
    whole.computeLayerwise(studentLayers, teacherLayers, undefined, { accumulate: true });
    weight!.gradient.data.forEach((value, i) => {
      expect(value).toBeCloseTo(0.6 * alone.data[i]!, 15);
    });
  });

  test("layers may have another name on the teacher's side; entries on the same layer are summed", () => {
    const whole = hybrid([
      { strategy: feature(), weight: 0.5, layer: { student: 'a', teacher: 'first' } },
      { strategy: feature(), weight: 0.5, layer: { student: 'a', teacher: 'second' } },
    ]);
    const { gradients } = whole.computeLayerwise(
      { a: matrix([1]) },
      { first: matrix([0]), second: matrix([3]) },
    );
    expect(gradients.a?.toRows()).toEqual([[0.5 * 2 * 1 + 0.5 * 2 * -2]]);
  });

  test('a nested hybrid routes its own entries, with inherited options', () => {
    const inner = hybrid(
      [
        { strategy: response(), weight: 0.5 },
        { strategy: feature(), weight: 0.5, layer: 'hidden' },
      ],
      { alpha: 1 },
    );
    const outer = hybrid(
      [
        { strategy: inner, weight: 0.5, name: 'inner' },
        { strategy: response(), weight: 0.5 },
      ],
      { temperature: 6 },
    );
    const layers = { output: student, hidden };
    const { loss, gradients, components } = outer.computeLayerwise(
      layers,
      { output: teacher, hidden: matrix([0, 0], [1, 1]) },
      labels,
    );
    const innerLoss =
      0.5 * response({ temperature: 6, alpha: 1 }).computeLoss(student, teacher, labels) +
      0.5 * feature().computeLoss(hidden, matrix([0, 0], [1, 1]));
    expect(components[0]).toMatchObject({
      name: 'inner',
      loss: expect.closeTo(innerLoss, 14),
      count: 2,
    });
    expect(loss).toBeCloseTo(
      0.5 * innerLoss + 0.5 * response({ temperature: 6 }).computeLoss(student, teacher, labels),
      14,
    );
    const alone = feature().computeGradient(hidden, matrix([0, 0], [1, 1]));
    expect(gradients.hidden?.data[0]).toBeCloseTo(0.25 * alone.data[0]!, 15);
  });

  test('a layer whose only entry has weight 0 may be missing; if it exists, its gradient is 0', () => {
    const whole = hybrid([
      { strategy: response(), weight: 1 },
      { strategy: feature(), weight: 0, layer: 'hidden' },
    ]);
    const without = whole.computeLayerwise({ output: student }, { output: teacher });
    expect(Object.keys(without.gradients)).toEqual(['output']);
    const { gradients } = whole.computeLayerwise({ output: student, hidden }, { output: teacher });
    expect(gradients.hidden?.data).toEqual(new Float64Array(4));
  });

  test('masks and normalizers are given by layer if the layers differ in rows', () => {
    const { whole, parts } = transformer();
    const { components } = whole.computeLayerwise(studentLayers, teacherLayers, labels, {
      mask: { attention: [1, 0, 0, 1], output: [1, 0] },
      normalizer: { attention: 10 },
    });
    expect(components.map(({ count }) => count)).toEqual([1, 2, 2]);
    expect(components[1]?.loss).toBeCloseTo(
      parts[1].computeLoss(attention, teacherAttention, undefined, {
        mask: [1, 0, 0, 1],
        normalizer: 10,
      }),
      15,
    );
    const same = hybrid([
      { strategy: response(), weight: 1 },
      { strategy: feature(), weight: 0, layer: 'hidden' },
    ]);
    const read = { output: student, hidden: studentLayers.hidden };
    const one = same.computeLayerwise(read, teacherLayers, labels, {
      mask: [0, 1],
      normalizer: 4,
    });
    expect(one.loss).toBeCloseTo(
      response().computeLoss(student, teacher, labels, { mask: [0, 1], normalizer: 4 }),
      15,
    );
  });

  const ignoring = Int32Array.of(2, IGNORE_INDEX);
  test.each<[string, () => unknown, object]>([
    [
      'a layer of the student that is not there',
      () => transformer().whole.computeLayerwise({ output: student, hidden }, teacherLayers),
      {
        argument: 'studentLayers',
        message:
          "HybridDistillationStrategy.computeLayerwise → AttentionDistillationStrategy: studentLayers must have a layer 'attention', got output, hidden",
      },
    ],
    [
      'a layer of the teacher that is not there',
      () => transformer().whole.computeLayerwise(studentLayers, {}),
      { argument: 'teacherLayers', received: 'none' },
    ],
    [
      'IGNORE_INDEX for a layer with other rows',
      () => transformer().whole.computeLayerwise(studentLayers, teacherLayers, ignoring),
      {
        argument: 'labels',
        message:
          "HybridDistillationStrategy.computeLayerwise → AttentionDistillationStrategy: labels must have no IGNORE_INDEX, or one label for each of the 4 rows of 'attention', got 2 labels with IGNORE_INDEX; say which rows of the layer to skip: mask: { attention: … }",
      },
    ],
    [
      'one normalizer for layers that differ in rows',
      () =>
        transformer().whole.computeLayerwise(studentLayers, teacherLayers, labels, {
          normalizer: 4,
        }),
      { argument: 'normalizer' },
    ],
  ])('refuses %s', (_, call, fields) => {
    expect(refusal(call)).toMatchObject({ code: 'LAYER', ...fields });
  });

  test.each(['__proto__', 'constructor', 'toString', 'length'])(
    'a layer may be called %s',
    (name) => {
      const whole = hybrid([{ strategy: feature(), weight: 1, layer: name }]);
      const layers = (value: number) => Object.fromEntries([[name, matrix([value])]]);
      const { loss, gradients } = whole.computeLayerwise(layers(3), layers(1), undefined, {
        mask: {},
        normalizer: {},
      });
      expect(loss).toBe(4);
      expect(Object.entries(gradients).map(([key, { data }]) => [key, data[0]])).toEqual([
        [name, 4],
      ]);
      const missing = () => whole.computeLayerwise({}, layers(1));
      expect(refusal(missing)).toMatchObject({ code: 'LAYER', argument: 'studentLayers' });
    },
  );

  test('an entry that implements only the interface gets labels if they fit its layer', () => {
    const seen: unknown[] = [];
    const strategy: IDistillationStrategy<Doubles> = {
      ...bare(),
      computeLoss: (_s, _t, given) => {
        seen.push(given);
        return 0;
      },
    };
    const whole = hybrid([
      { strategy, weight: 0.5 },
      { strategy, weight: 0.5, layer: 'attention' },
    ]);
    whole.computeLayerwise({ output: student, attention }, teacherLayers, labels);
    expect(seen).toEqual([labels, undefined]);
  });

  test('a layer that no entry reads does not affect a shared normalizer', () => {
    const whole = hybrid([
      { strategy: response(), weight: 1 },
      { strategy: feature(), weight: 0, layer: 'absent' },
    ]);
    const { loss } = whole.computeLayerwise({ output: student }, { output: teacher }, labels, {
      normalizer: 4,
    });
    expect(loss).toBeCloseTo(
      response().computeLoss(student, teacher, labels, { normalizer: 4 }),
      14,
    );
  });

  test.each([[[-100, 0]], [new Int16Array(2)], ['ab'], [5], [null]])(
    'refuses %j as labels, even if no entry reads them',
    (given) => {
      const whole = hybrid([{ strategy: feature(), weight: 1 }]);
      const layers = { output: student };
      const call = () => whole.computeLayerwise(layers, { output: teacher }, wrong(given));
      expect(call).toThrow(TypeError);
      expect(refusal(call)).toMatchObject({ code: 'WRONG_TYPE', argument: 'labels' });
    },
  );

  test('with a mask of its own, a layer with other rows takes labels with IGNORE_INDEX', () => {
    const { components } = transformer().whole.computeLayerwise(
      studentLayers,
      teacherLayers,
      ignoring,
      {
        mask: { attention: [1, 1, 0, 0] },
      },
    );
    expect(components.map(({ count }) => count)).toEqual([1, 2, 1]);
  });

  test('entries bound to layers are refused for a single pair, with a hint at computeLayerwise', () => {
    const nested = hybrid([{ strategy: transformer().whole, weight: 1 }]);
    for (const whole of [transformer().whole, nested]) {
      expect(refusal(() => whole.computeLoss(student, teacher))).toMatchObject({
        code: 'LAYER',
        message: expect.stringMatching(/: entry '\w+' is bound to a layer; call computeLayerwise$/),
      });
      expect(refusal(() => whole.computeGradient(student, teacher))).toMatchObject({
        code: 'LAYER',
      });
    }
  });

  test.each<[string, () => unknown, object]>([
    [
      'studentLayers',
      () => transformer().whole.computeLayerwise(wrong(null), teacherLayers),
      { code: 'WRONG_TYPE' },
    ],
    [
      'studentLayers.hidden',
      () =>
        transformer().whole.computeLayerwise(
          { ...studentLayers, hidden: wrong([1]) },
          teacherLayers,
        ),
      { code: 'WRONG_TYPE' },
    ],
    [
      'teacher',
      () =>
        transformer().whole.computeLayerwise(studentLayers, {
          ...teacherLayers,
          output: wrong([1]),
        }),
      { code: 'WRONG_TYPE' },
    ],
    [
      'labels',
      () => transformer().whole.computeLayerwise(studentLayers, teacherLayers, Int32Array.of(1)),
      { code: 'SHAPE_MISMATCH' },
    ],
    [
      'mask',
      () =>
        transformer().whole.computeLayerwise(studentLayers, teacherLayers, labels, {
          mask: { hiden: [1, 1] },
        }),
      { code: 'UNKNOWN_OPTION' },
    ],
    [
      'mask',
      () =>
        transformer().whole.computeLayerwise(studentLayers, teacherLayers, labels, {
          mask: [1, 1],
        }),
      { code: 'SHAPE_MISMATCH' },
    ],
    [
      'mask',
      () =>
        transformer().whole.computeLayerwise(studentLayers, teacherLayers, labels, {
          mask: wrong(1),
        }),
      { code: 'WRONG_TYPE' },
    ],
    [
      'normalizer',
      () =>
        transformer().whole.computeLayerwise(studentLayers, teacherLayers, labels, {
          normalizer: { hidden: 0 },
        }),
      { code: 'OUT_OF_RANGE' },
    ],
    [
      'normalizer',
      () =>
        transformer().whole.computeLayerwise(studentLayers, teacherLayers, labels, {
          normalizer: wrong('2'),
        }),
      { code: 'WRONG_TYPE' },
    ],
    [
      'accumulate',
      () =>
        transformer().whole.computeLayerwise(studentLayers, teacherLayers, labels, {
          accumulate: wrong(1),
        }),
      { code: 'WRONG_TYPE' },
    ],
    [
      'options',
      () =>
        transformer().whole.computeLayerwise(
          studentLayers,
          teacherLayers,
          labels,
          wrong<object>({ masks: {} }),
        ),
      { code: 'UNKNOWN_OPTION' },
    ],
  ])('refuses bad %s', (argument, call, fields) => {
    expect(refusal(call)).toMatchObject({ argument, ...fields });
  });
});
