import {
  CenteredKernelAlignmentDistillationStrategy,
  ContrastiveDistillationStrategy,
  ContrastiveMemory,
  ContrastiveRepresentationDistillationStrategy,
  CorrelationCongruenceDistillationStrategy,
  type DistillationBatch,
  type FloatArray,
  type NumericTrait,
  ProbabilisticTransferDistillationStrategy,
  type RelationalDistillationOptions,
  RelationalDistillationStrategy,
  SimilarityDistributionDistillationStrategy,
  SimilarityPreservingDistillationStrategy,
} from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';
import { isNonZero, roundedProjection, type Subjects } from './subjects.js';

/**
 * Rows that are large beside the step of a difference, and no two opposite: there the 1e-7 bends
 * the loss.
 */
const isRegularForNeighbours: NonNullable<StrategySubject['isRegular']> = (row, _, rows) => {
  const length = Math.hypot(...row);
  const isOpposite = (other: readonly number[]) =>
    Math.hypot(...row.map((value, j) => value / length + other[j]! / Math.hypot(...other))) < 0.1;
  return length >= 0.5 && !rows.some(isOpposite);
};

const probabilisticTransfer: Omit<StrategySubject, 'invariances'> = {
  create: () => new ProbabilisticTransferDistillationStrategy(),
  values: 'features',
  isRegular: isRegularForNeighbours,
  // Its 1e-7 moves the least loss a little below that at student = teacher.
  minimum: -1.7e-6,
  reachesMinimum: false,
  sumOverRows: false,
  // Divided by the norm of a row, which may be as small as 1/32.
  rounding: 1e-9,
};

/** Whether no other row is equal: the direction to one that is jumps. */
const isSingle = (
  row: readonly number[],
  index: number,
  rows: readonly (readonly number[])[],
): boolean =>
  rows.every((other, i) => i === index || other.some((value, column) => value !== row[column]));

function relational(
  options: RelationalDistillationOptions,
  more: Partial<StrategySubject> = {},
): StrategySubject {
  return {
    create: () => new RelationalDistillationStrategy(options),
    values: 'features',
    isRegular: isSingle,
    invariances: ['translation', 'row-order', 'column-order', 'student-scale', 'teacher-scale'],
    sumOverRows: false,
    rounding: 1e-9, // divided by distances, which may be as small as 1/32
    ...more,
  };
}

const similarityDistribution = {
  values: 'features',
  isRegular: isNonZero,
  sumOverRows: false,
  rounding: 1e-9, // as above, and by a temperature of 0.05
} as const;

/**
 * It does not change with the student's scale either, unless a row of zeros is at the floor of its
 * norm.
 */
const similarityPreserving: Omit<StrategySubject, 'invariances'> = {
  create: () => new SimilarityPreservingDistillationStrategy(),
  values: 'features',
  isRegular: isNonZero,
  sumOverRows: false,
  // Divided by the norm of a row of products, which may be small.
  rounding: 1e-9,
};

/**
 * Rows that are all different, and more than one: whichever of them a mask leaves, they are not all
 * equal.
 */
const areDifferent: NonNullable<StrategySubject['isRegular']> = (row, index, rows) =>
  rows.length > 1 &&
  rows.every((other, i) => i === index || other.some((value, j) => value !== row[j]));

const alignment: Omit<StrategySubject, 'invariances'> = {
  create: () => new CenteredKernelAlignmentDistillationStrategy(),
  values: 'features',
  isRegular: areDifferent,
  sumOverRows: false,
  // Divided by how far the rows are apart, which may be as little as 1/32.
  rounding: 1e-9,
};

/** The loss is least where all rows but the own are far away, not at student = teacher. */
const contrastive = {
  values: 'features',
  isRegular: isNonZero,
  reachesMinimum: false,
  sumOverRows: false,
  rounding: 1e-9, // as above, and by a temperature of 0.07
} as const;

const contrastiveInvariances = [
  'row-order',
  'column-order',
  'student-scale',
  'teacher-scale',
] as const;

function congruence(
  options: ConstructorParameters<typeof CorrelationCongruenceDistillationStrategy>[0],
  more: Partial<StrategySubject> = {},
): StrategySubject {
  return {
    create: () => new CorrelationCongruenceDistillationStrategy(options),
    values: 'features',
    // Where student = teacher the loss is of the fourth order in a value of 0: too flat for
    // differences.
    isRegular: (row) => row.every((value) => value !== 0),
    sumOverRows: false,
    invariances: ['row-order', 'column-order'],
    ...more,
  };
}

/** Takes a batch of any rows: all of them are of one sample, and have the same negatives. */
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

function memoryOf<T extends FloatArray>(numeric: NumericTrait<T>): ContrastiveMemory<T> {
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

export const relationSubjects: Subjects = {
  CenteredKernelAlignmentDistillationStrategy: {
    'by default': {
      ...alignment,
      invariances: ['row-order', 'column-order', 'translation', 'student-scale', 'teacher-scale'],
    },
    'with other columns': {
      ...alignment,
      columns: { student: 2, teacher: 5 },
      invariances: ['row-order', 'translation'],
    },
    'of many rows': { ...alignment, rows: 9, columns: 2, invariances: ['row-order'] },
  },
  ContrastiveDistillationStrategy: {
    'by default': {
      ...contrastive,
      create: () => new ContrastiveDistillationStrategy(),
      invariances: contrastiveInvariances,
    },
    'symmetric, at 0.5': {
      ...contrastive,
      create: () =>
        new ContrastiveDistillationStrategy({ symmetric: true, contrastTemperature: 0.5 }),
      invariances: contrastiveInvariances,
    },
    projected: {
      ...contrastive,
      create: <T extends FloatArray>(numeric: NumericTrait<T>) =>
        new ContrastiveDistillationStrategy<T>({
          projection: roundedProjection(3, 4, { bias: true, numeric }),
        }),
      columns: { student: 3, teacher: 4 },
      invariances: ['row-order', 'teacher-scale'],
      float32Tolerance: 1e-5, // the terms of what a projection makes may all but cancel
    },
  },
  CorrelationCongruenceDistillationStrategy: {
    'by default': congruence({}),
    'gamma 0.1, order 1': congruence({ gamma: 0.1, order: 1 }),
    'with other columns': congruence(
      {},
      { columns: { student: 2, teacher: 4 }, invariances: ['row-order'] },
    ),
    bilinear: congruence({ form: 'bilinear' }),
    // Of equal columns there are teachers so close that differences step over the corner at a norm
    // of 0.
    'gaussian, not squared': congruence(
      { squared: false },
      { columns: { student: 3, teacher: 4 } },
    ),
    'bilinear, not squared': congruence(
      { form: 'bilinear', squared: false },
      { columns: { student: 4, teacher: 2 } },
    ),
    consecutive: congruence({ form: 'consecutive' }), // the order may be turned round
  },
  ContrastiveRepresentationDistillationStrategy: {
    'by default': {
      ...contrastive,
      sumOverRows: true,
      create: (numeric) => new OfOneSample({ memory: memoryOf(numeric) }),
      columns: 3,
      invariances: ['row-order', 'student-scale', 'teacher-scale'],
    },
    'at 1': {
      ...contrastive,
      sumOverRows: true,
      create: (numeric) => new OfOneSample({ memory: memoryOf(numeric), contrastTemperature: 1 }),
      columns: 3,
      invariances: ['row-order', 'student-scale', 'teacher-scale'],
    },
    'with both projections': {
      ...contrastive,
      sumOverRows: true,
      create: (numeric) =>
        new OfOneSample({
          memory: memoryOf(numeric),
          projection: roundedProjection(2, 3, { numeric }),
          teacherProjection: roundedProjection(4, 3, { numeric, name: 'teacher' }),
        }),
      columns: { student: 2, teacher: 4 },
      invariances: ['row-order', 'student-scale'],
      float32Tolerance: 1e-5, // the terms of what a projection makes may all but cancel
    },
  },
  ProbabilisticTransferDistillationStrategy: {
    'by default': { ...probabilisticTransfer, invariances: ['row-order', 'column-order'] },
    'with other columns': {
      ...probabilisticTransfer,
      columns: { student: 3, teacher: 5 },
      invariances: ['row-order'],
    },
  },
  RelationalDistillationStrategy: {
    'by default': relational({}),
    'distances alone': relational({ angleWeight: 0 }, { isRegular: () => true }),
    'angles alone': relational({ distanceWeight: 0, angleWeight: 1 }),
    'with other columns': relational(
      { distanceWeight: 25, angleWeight: 50 },
      {
        columns: { student: 3, teacher: 5 },
        invariances: ['translation', 'row-order', 'student-scale', 'teacher-scale'],
      },
    ),
  },
  SimilarityDistributionDistillationStrategy: {
    'by default': {
      ...similarityDistribution,
      create: () => new SimilarityDistributionDistillationStrategy(),
      invariances: ['row-order', 'column-order', 'student-scale', 'teacher-scale'],
    },
    'with other columns, at 0.5': {
      ...similarityDistribution,
      create: () => new SimilarityDistributionDistillationStrategy({ similarityTemperature: 0.5 }),
      columns: { student: 3, teacher: 5 },
      invariances: ['row-order', 'student-scale', 'teacher-scale'],
    },
    'from a teacher of another temperature': {
      ...similarityDistribution,
      create: () =>
        new SimilarityDistributionDistillationStrategy({ teacherSimilarityTemperature: 0.1 }),
      reachesMinimum: false,
      invariances: ['row-order', 'column-order', 'student-scale', 'teacher-scale'],
    },
  },
  SimilarityPreservingDistillationStrategy: {
    'by default': {
      ...similarityPreserving,
      invariances: ['row-order', 'column-order', 'teacher-scale'],
    },
    'with other columns': {
      ...similarityPreserving,
      columns: { student: 3, teacher: 5 },
      invariances: ['row-order', 'teacher-scale'],
    },
  },
};
