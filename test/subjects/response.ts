import {
  AlphaBetaDistillationStrategy,
  BinaryDistillationStrategy,
  CorrelationDistillationStrategy,
  CrossEntropyDistillationStrategy,
  DecoupledDistillationStrategy,
  JensenShannonDistillationStrategy,
  LogitMSEDistillationStrategy,
  MultiLevelDistillationStrategy,
  NormalizedDistillationStrategy,
  ResponseDistillationStrategy,
  ReverseKLDistillationStrategy,
  SkewKLDistillationStrategy,
  SkewReverseKLDistillationStrategy,
  TotalVariationDistillationStrategy,
  UniversalLogitDistillationStrategy,
  WeightedSoftLabelDistillationStrategy,
} from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';
import type { Subjects } from './subjects.js';

const responseInvariances = ['row-shift', 'row-order', 'column-order'] as const;
function response(
  options: ConstructorParameters<typeof ResponseDistillationStrategy>[0],
): StrategySubject {
  return {
    create: () => new ResponseDistillationStrategy(options),
    values: 'logits',
    ruledOut: true,
    invariances: responseInvariances,
    // Terms may all but cancel, down to a rounding of theirs in float32; test/kernels has the sharp
    // bounds.
    float32Tolerance: 1e-4,
    temperatures: true,
  };
}

/**
 * The gradients of several temperatures, or of losses of two kernels, are rounded one by one, and
 * may all but cancel.
 */
const SUMMED_TOLERANCE = 1e-4;

/** What the other divergences of two distributions promise. */
function divergence(
  create: StrategySubject['create'],
  more: Partial<StrategySubject> = {},
): StrategySubject {
  return {
    create,
    values: 'logits',
    ruledOut: true,
    invariances: responseInvariances,
    temperatures: more.sumOverRows !== false,
    ...more,
  };
}

/**
 * Adding a constant rounds a tie away, and with it the derivative that a tie has. Where a side is
 * all but sure, a small difference of logits moves the others by less than what differences
 * resolve: a tie that they step over.
 */
const totalVariation = { invariances: ['row-order', 'column-order'], magnitude: 2 } as const;

/**
 * Probabilities that are not too small: their kinks, one for each, are then far enough apart for
 * differences.
 */
const universalLogit = { ...totalVariation, magnitude: 1.5 } as const;

/**
 * What losses promise that need a class for every row: with it, they are least elsewhere, unless
 * alpha is 0.
 */
function labeled(
  create: StrategySubject['create'],
  more: Partial<StrategySubject> = {},
): StrategySubject {
  return divergence(create, { labels: 'classes', reachesMinimum: false, ...more });
}

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

function weighted(options: WeightedOptions): StrategySubject {
  return labeled(() => new WeightedSoftLabelDistillationStrategy(options), {
    heldAt: () => new FirstWeights(options),
    reachesMinimum: options?.alpha === 0,
  });
}

function binary(
  options: ConstructorParameters<typeof BinaryDistillationStrategy>[0],
): StrategySubject {
  return divergence(() => new BinaryDistillationStrategy(options), {
    labels: 'several',
    invariances: ['row-order', 'column-order'],
  });
}

const isVaried = (row: readonly number[]) => row.some((value) => value !== row[0]);

/**
 * Standardized logits: no class can be ruled out. A row of equal logits is too steep for
 * differences, and one of two logits, which standardized are always ±√½ but for the 1e-7, too flat.
 */
function standardized(create: StrategySubject['create']): StrategySubject {
  return {
    create,
    values: 'logits',
    isRegular: (row) => isVaried(row) && row.length > 2,
    invariances: ['row-order', 'column-order', 'row-shift'],
    rounding: 1e-9, // divided by a deviation that may be small
    float32Tolerance: 1e-6,
    temperatures: true,
  };
}

function softmax(row: readonly number[]): number[] {
  const exponentials = row.map(Math.exp);
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

/** Rows in which no class has the same probability as in another row. */
const areApart: NonNullable<StrategySubject['isRegular']> = (row, index, rows) => {
  const q = softmax(row);
  return rows.every(
    (other, i) => i === index || softmax(other).every((value, j) => Math.abs(value - q[j]!) > 0.01),
  );
};

/**
 * Correlations, of rows together: 1e-8 beside the norms is felt where probabilities hardly differ,
 * and takes the least loss away from student = teacher.
 */
function correlation(
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
    ...more,
  });
}

/**
 * A teacher with a temperature of its own: the loss is least elsewhere than at student = teacher.
 */
const COLDER = { temperature: 2, teacherTemperature: 0.7 } as const;

export const responseSubjects: Subjects = {
  ResponseDistillationStrategy: {
    'by default': response({}),
    'T = 1, alpha = 1': response({ temperature: 1, alpha: 1 }),
    'T = 0.5, alpha = 0': response({ temperature: 0.5, alpha: 0 }),
    'T = 0.05': response({ temperature: 0.05 }),
    'T = 100': response({ temperature: 100 }),
    'T = 20, alpha = 0.9': response({ temperature: 20, alpha: 0.9 }),
    'without T²': response({ temperature: 4, temperatureSquared: false }),
    standardized: standardized(() => new ResponseDistillationStrategy({ standardizeLogits: true })),
    'a colder teacher': { ...response(COLDER), reachesMinimum: false },
    'a warmer teacher, standardized': {
      ...standardized(
        () =>
          new ResponseDistillationStrategy({
            temperature: 1,
            teacherTemperature: 3,
            standardizeLogits: true,
          }),
      ),
      reachesMinimum: false,
    },
  },
  ReverseKLDistillationStrategy: {
    'by default': divergence(() => new ReverseKLDistillationStrategy()),
    'T = 0.5, alpha = 0.8': divergence(
      () => new ReverseKLDistillationStrategy({ temperature: 0.5, alpha: 0.8 }),
    ),
    'T = 20, without T²': divergence(
      () => new ReverseKLDistillationStrategy({ temperature: 20, temperatureSquared: false }),
    ),
    standardized: standardized(
      () => new ReverseKLDistillationStrategy({ standardizeLogits: true }),
    ),
    'a colder teacher': divergence(() => new ReverseKLDistillationStrategy(COLDER), {
      reachesMinimum: false,
    }),
  },
  JensenShannonDistillationStrategy: {
    'by default': divergence(() => new JensenShannonDistillationStrategy()),
    'beta = 0.9, T = 1': divergence(
      () => new JensenShannonDistillationStrategy({ beta: 0.9, temperature: 1 }),
    ),
    'beta = 0.01 between the limits': divergence(
      () => new JensenShannonDistillationStrategy({ beta: 0.01, scale: 'kl-limits' }),
    ),
    'beta = 0': divergence(
      () => new JensenShannonDistillationStrategy({ beta: 0, scale: 'kl-limits' }),
    ),
    'beta = 1': divergence(
      () => new JensenShannonDistillationStrategy({ beta: 1, scale: 'kl-limits', alpha: 0.9 }),
    ),
    'a colder teacher': divergence(() => new JensenShannonDistillationStrategy(COLDER), {
      reachesMinimum: false,
    }),
  },
  SkewKLDistillationStrategy: {
    'by default': divergence(() => new SkewKLDistillationStrategy()),
    'lambda = 0.7, T = 0.5': divergence(
      () => new SkewKLDistillationStrategy({ lambda: 0.7, temperature: 0.5 }),
    ),
    'a colder teacher': divergence(() => new SkewKLDistillationStrategy(COLDER), {
      reachesMinimum: false,
    }),
  },
  SkewReverseKLDistillationStrategy: {
    'by default': divergence(() => new SkewReverseKLDistillationStrategy()),
    'lambda = 0.7, T = 0.5': divergence(
      () => new SkewReverseKLDistillationStrategy({ lambda: 0.7, temperature: 0.5 }),
    ),
    'a colder teacher': divergence(() => new SkewReverseKLDistillationStrategy(COLDER), {
      reachesMinimum: false,
    }),
  },
  AlphaBetaDistillationStrategy: {
    'by default': divergence(() => new AlphaBetaDistillationStrategy()),
    'powers 0.8 and 0.3, T = 0.5, alpha = 0.9': divergence(
      () =>
        new AlphaBetaDistillationStrategy({
          teacherPower: 0.8,
          studentPower: 0.3,
          temperature: 0.5,
          alpha: 0.9,
        }),
    ),
    'powers 1 and 2, T = 20, without T²': divergence(
      () =>
        new AlphaBetaDistillationStrategy({
          teacherPower: 1,
          studentPower: 2,
          temperature: 20,
          temperatureSquared: false,
        }),
    ),
    'powers 0 and 0.6': divergence(
      () => new AlphaBetaDistillationStrategy({ teacherPower: 0, studentPower: 0.6 }),
    ),
    'powers 1.5 and 0': divergence(
      () => new AlphaBetaDistillationStrategy({ teacherPower: 1.5, studentPower: 0 }),
    ),
    'powers 1e-9 and 1': divergence(
      () =>
        new AlphaBetaDistillationStrategy({
          teacherPower: 1e-9,
          studentPower: 1,
          temperature: 1,
        }),
    ),
    'powers 0 and 0': divergence(
      () => new AlphaBetaDistillationStrategy({ teacherPower: 0, studentPower: 0 }),
    ),
    standardized: standardized(
      () => new AlphaBetaDistillationStrategy({ standardizeLogits: true }),
    ),
    'a colder teacher': divergence(() => new AlphaBetaDistillationStrategy(COLDER), {
      reachesMinimum: false,
    }),
  },
  TotalVariationDistillationStrategy: {
    'by default': divergence(() => new TotalVariationDistillationStrategy(), totalVariation),
    'T = 1, alpha = 0.9': divergence(
      () => new TotalVariationDistillationStrategy({ temperature: 1, alpha: 0.9 }),
      totalVariation,
    ),
    'a colder teacher': divergence(() => new TotalVariationDistillationStrategy(COLDER), {
      ...totalVariation,
      reachesMinimum: false,
    }),
  },
  DecoupledDistillationStrategy: {
    'by default': labeled(() => new DecoupledDistillationStrategy()),
    'alpha = 0, T = 0.05': labeled(
      () => new DecoupledDistillationStrategy({ alpha: 0, temperature: 0.05 }),
      { reachesMinimum: true },
    ),
    'the label alone, T = 100, without T²': labeled(
      () =>
        new DecoupledDistillationStrategy({
          nonTargetWeight: 0,
          temperature: 100,
          temperatureSquared: false,
        }),
    ),
    'the others alone, alpha = 0': labeled(
      () => new DecoupledDistillationStrategy({ targetWeight: 0, alpha: 0 }),
      { reachesMinimum: true },
    ),
    standardized: {
      ...standardized(() => new DecoupledDistillationStrategy({ standardizeLogits: true })),
      labels: 'classes',
      reachesMinimum: false,
    },
    'a colder teacher': labeled(() => new DecoupledDistillationStrategy(COLDER)),
  },
  NormalizedDistillationStrategy: {
    'by default': labeled(() => new NormalizedDistillationStrategy()),
    'alpha = 0, T = 0.05': labeled(
      () => new NormalizedDistillationStrategy({ alpha: 0, temperature: 0.05 }),
    ),
    'T = 100, without T²': labeled(
      () => new NormalizedDistillationStrategy({ temperature: 100, temperatureSquared: false }),
    ),
    'the others alone, alpha = 0': labeled(
      () => new NormalizedDistillationStrategy({ targetWeight: 0, alpha: 0, temperature: 3 }),
      { reachesMinimum: true },
    ),
    standardized: {
      ...standardized(() => new NormalizedDistillationStrategy({ standardizeLogits: true })),
      labels: 'classes',
      reachesMinimum: false,
    },
    'a colder teacher': labeled(() => new NormalizedDistillationStrategy(COLDER)),
  },
  WeightedSoftLabelDistillationStrategy: {
    'by default': weighted({}),
    'alpha = 0, T = 0.05': weighted({ alpha: 0, temperature: 0.05 }),
    'T = 100, without T²': weighted({ temperature: 100, temperatureSquared: false }),
    standardized: {
      ...standardized(() => new WeightedSoftLabelDistillationStrategy({ standardizeLogits: true })),
      labels: 'classes',
      heldAt: () => new FirstWeights({ standardizeLogits: true }),
      reachesMinimum: false,
    },
    'a colder teacher': { ...weighted(COLDER), reachesMinimum: false },
  },
  BinaryDistillationStrategy: {
    'by default': binary({}),
    'T = 0.05, alpha = 0.9': binary({ temperature: 0.05, alpha: 0.9 }),
    'T = 100, without T²': binary({ temperature: 100, temperatureSquared: false }),
    standardized: {
      ...standardized(() => new BinaryDistillationStrategy({ standardizeLogits: true })),
      labels: 'several',
      invariances: ['row-order', 'column-order'],
    },
    'a colder teacher': { ...binary(COLDER), reachesMinimum: false },
  },
  UniversalLogitDistillationStrategy: {
    'by default': divergence(() => new UniversalLogitDistillationStrategy(), universalLogit),
    'T = 3, alpha = 0.9': divergence(
      () => new UniversalLogitDistillationStrategy({ temperature: 3, alpha: 0.9 }),
      universalLogit,
    ),
    'of a larger vocabulary': divergence(() => new UniversalLogitDistillationStrategy(), {
      ...universalLogit,
      columns: { student: 3, teacher: 5 },
    }),
    'of a smaller vocabulary, T = 2 without T²': divergence(
      () => new UniversalLogitDistillationStrategy({ temperature: 2, temperatureSquared: false }),
      { ...universalLogit, columns: { student: 4, teacher: 2 } },
    ),
    'a colder teacher': divergence(() => new UniversalLogitDistillationStrategy(COLDER), {
      ...universalLogit,
      reachesMinimum: false,
    }),
  },
  CorrelationDistillationStrategy: {
    'by default': correlation({}),
    'T = 2, weighted': correlation({
      temperature: 2,
      alpha: 0.9,
      interWeight: 0.5,
      intraWeight: 3,
    }),
    'inter alone, without T²': correlation(
      { intraWeight: 0, temperature: 3, temperatureSquared: false },
      { sumOverRows: true },
    ),
    'intra alone, of more rows': correlation({ interWeight: 0 }, { rows: 6 }),
    'with classes ruled out': correlation({}, { ruledOut: true }),
    standardized: {
      ...standardized(() => new CorrelationDistillationStrategy({ standardizeLogits: true })),
      columns: 4,
      isRegular: (row, index, rows) => isVaried(row) && areApart(row, index, rows),
      reachesMinimum: false,
      sumOverRows: false,
      temperatures: false,
    },
    'a colder teacher': correlation(COLDER),
  },
  MultiLevelDistillationStrategy: {
    'by default': divergence(() => new MultiLevelDistillationStrategy(), {
      sumOverRows: false,
      float32Tolerance: SUMMED_TOLERANCE,
    }),
    'T = 1, weighted': divergence(
      () =>
        new MultiLevelDistillationStrategy({
          temperature: 1,
          alpha: 0.6,
          multiples: [0.5, 2],
          instanceWeight: 0.25,
          batchWeight: 2,
          classWeight: 5,
        }),
      { sumOverRows: false, float32Tolerance: SUMMED_TOLERANCE },
    ),
    'instances alone, without T²': divergence(
      () =>
        new MultiLevelDistillationStrategy({
          temperatureSquared: false,
          batchWeight: 0,
          classWeight: 0,
        }),
      { float32Tolerance: SUMMED_TOLERANCE },
    ),
    standardized: {
      ...standardized(() => new MultiLevelDistillationStrategy({ standardizeLogits: true })),
      sumOverRows: false,
      temperatures: false,
    },
    'a colder teacher': divergence(() => new MultiLevelDistillationStrategy(COLDER), {
      sumOverRows: false,
      reachesMinimum: false,
      float32Tolerance: SUMMED_TOLERANCE,
    }),
  },
  CrossEntropyDistillationStrategy: {
    'by default': labeled(() => new CrossEntropyDistillationStrategy(), {
      readsTeacher: false,
      temperatures: false,
    }),
  },
  LogitMSEDistillationStrategy: {
    'by default': divergence(() => new LogitMSEDistillationStrategy(), {
      invariances: ['row-order', 'column-order'],
      float32Tolerance: SUMMED_TOLERANCE,
    }),
    'without T²': divergence(
      () => new LogitMSEDistillationStrategy({ temperature: 2, temperatureSquared: false }),
      { invariances: ['row-order', 'column-order'], float32Tolerance: SUMMED_TOLERANCE },
    ),
    standardized: standardized(() => new LogitMSEDistillationStrategy({ standardizeLogits: true })),
    'a colder teacher': divergence(() => new LogitMSEDistillationStrategy(COLDER), {
      invariances: ['row-order', 'column-order'],
      reachesMinimum: false,
      float32Tolerance: SUMMED_TOLERANCE,
    }),
  },
};
