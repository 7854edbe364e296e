import {
  ActivationBoundaryDistillationStrategy,
  FactorTransferDistillationStrategy,
  FeatureDistillationStrategy,
  type FloatArray,
  FlowDistillationStrategy,
  MarginReLUDistillationStrategy,
  NeuronSelectivityDistillationStrategy,
  type NumericTrait,
  PatientDistillationStrategy,
  VariationalDistillationStrategy,
} from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';
import { isNonZero, roundedProjection, type Subjects } from './subjects.js';

/** The terms of what a projection makes may all but cancel. */
const PROJECTED_TOLERANCE = 1e-5;

function feature(
  metric: FeatureDistillationStrategy['metric'],
  projection?: { bias: boolean },
  delta?: number,
): StrategySubject {
  const create = <T extends FloatArray>(numeric: NumericTrait<T>) =>
    new FeatureDistillationStrategy<T>({
      metric,
      ...(delta !== undefined && { delta }),
      ...(projection && { projection: roundedProjection(3, 4, { ...projection, numeric }) }),
    });
  return {
    create,
    values: 'features',
    ...(projection && { columns: { student: 3, teacher: 4 } }),
    isRegular: metric === 'cosine' ? isNonZero : () => true,
    invariances: projection
      ? ['row-order']
      : [
          'row-order',
          'column-order',
          ...(metric === 'cosine' ? (['student-scale', 'teacher-scale'] as const) : []),
        ],
    ...(projection && { float32Tolerance: PROJECTED_TOLERANCE }),
    ...(metric === 'cosine' && { rounding: 1e-9 }),
  };
}

/** Least where all neurons are beyond the margin, not at student = teacher. */
function activationBoundary(create: StrategySubject['create']): StrategySubject {
  return {
    create,
    values: 'features',
    reachesMinimum: false,
    invariances: ['row-order', 'column-order', 'teacher-scale'],
  };
}

function flow(
  channels: readonly [number, number],
  positions: number,
  teacherPositions = positions,
): StrategySubject {
  const count = channels[0] + channels[1];
  return {
    create: () => new FlowDistillationStrategy({ channels }),
    values: 'features',
    columns: { student: count * positions, teacher: count * teacherPositions },
    invariances: ['row-order'],
  };
}

/** Rows in which none of `channels` channels is zero. */
function hasChannels(channels: number): (row: readonly number[]) => boolean {
  return (row) => {
    const positions = row.length / channels;
    return Array.from({ length: channels }, (_, c) =>
      row.slice(c * positions, (c + 1) * positions),
    ).every(isNonZero);
  };
}

function neuronSelectivity(student: number, teacher: number, positions: number): StrategySubject {
  return {
    create: () => new NeuronSelectivityDistillationStrategy({ channels: { student, teacher } }),
    values: 'features',
    columns: { student: student * positions, teacher: teacher * positions },
    isRegular: hasChannels(student),
    invariances: ['row-order', 'column-order', 'student-scale', 'teacher-scale'],
    rounding: 1e-9, // divided by the norms of channels
  };
}

/**
 * Half the logarithm of the variance at student = teacher, which the variance to begin with makes ≥
 * 0.
 */
function variational(
  options: { channels: number; initialVariance?: number },
  projection?: { bias: boolean },
): StrategySubject {
  const { channels } = options;
  return {
    create: <T extends FloatArray>(numeric: NumericTrait<T>) =>
      new VariationalDistillationStrategy<T>({
        ...options,
        numeric,
        ...(projection && {
          projection: roundedProjection(2, channels, { ...projection, numeric }),
        }),
      }),
    values: 'features',
    columns: 2 * channels,
    reachesMinimum: false,
    invariances: ['row-order'],
  };
}

/**
 * Not near the teacher: factors that are equal come out some roundings apart, and there the sum of
 * absolute differences has a kink that no step resolves.
 */
const isApart: NonNullable<StrategySubject['isRegular']> = (row, index, _, teacher) =>
  isNonZero(row) &&
  (!teacher || teacher[index]!.some((value, j) => Math.abs(value - row[j]!) > 0.05));

function factorTransfer(
  options: ConstructorParameters<typeof FactorTransferDistillationStrategy>[0],
  invariances: StrategySubject['invariances'],
): StrategySubject {
  return {
    create: () => new FactorTransferDistillationStrategy(options),
    values: 'features',
    isRegular: isNonZero,
    invariances,
    rounding: 1e-9, // divided by the norm of a row, which may be as small as 1/32
  };
}

export const featureSubjects: Subjects = {
  FeatureDistillationStrategy: {
    mse: feature('mse'),
    l2: feature('l2'),
    l1: feature('l1'),
    huber: feature('huber'),
    cosine: feature('cosine'),
    'huber, delta 0.3': feature('huber', undefined, 0.3),
    'mse, projected': feature('mse', { bias: false }),
    'l2, projected': feature('l2', { bias: true }),
    'l1, projected': feature('l1', { bias: true }),
    'huber, projected with a bias': feature('huber', { bias: true }),
    'cosine, projected': feature('cosine', { bias: true }),
    'mse of feature maps, projected': {
      ...feature('mse', { bias: true }),
      columns: { student: 2 * 3, teacher: 2 * 4 },
    },
  },
  PatientDistillationStrategy: {
    'by default': {
      create: () => new PatientDistillationStrategy(),
      values: 'features',
      isRegular: isNonZero,
      invariances: ['row-order', 'column-order', 'student-scale', 'teacher-scale'],
      rounding: 1e-9, // divided by the norm of a row, which may be as small as 1/32
    },
    projected: {
      create: <T extends FloatArray>(numeric: NumericTrait<T>) =>
        new PatientDistillationStrategy<T>({
          projection: roundedProjection(3, 4, { bias: true, numeric }),
        }),
      values: 'features',
      columns: { student: 3, teacher: 4 },
      isRegular: isNonZero,
      invariances: ['row-order', 'teacher-scale'],
      rounding: 1e-9,
      float32Tolerance: PROJECTED_TOLERANCE,
    },
  },
  ActivationBoundaryDistillationStrategy: {
    'by default': activationBoundary(() => new ActivationBoundaryDistillationStrategy()),
    'margin 0.3': activationBoundary(
      () => new ActivationBoundaryDistillationStrategy({ margin: 0.3 }),
    ),
    'of feature maps, projected': {
      ...activationBoundary(
        <T extends FloatArray>(numeric: NumericTrait<T>) =>
          new ActivationBoundaryDistillationStrategy<T>({
            projection: roundedProjection(3, 2, { numeric }),
          }),
      ),
      columns: { student: 2 * 3, teacher: 2 * 2 },
      invariances: ['row-order', 'teacher-scale'],
      float32Tolerance: PROJECTED_TOLERANCE,
    },
  },
  FlowDistillationStrategy: {
    'layers of one channel': flow([1, 1], 3),
    'more channels in the second layer': flow([1, 3], 2),
    'fewer positions in the teacher': flow([2, 1], 4, 2),
  },
  NeuronSelectivityDistillationStrategy: {
    'more channels than positions': neuronSelectivity(2, 2, 3),
    'more positions than channels': neuronSelectivity(2, 2, 5),
    'other channels': neuronSelectivity(2, 3, 2),
    'other channels, more positions': neuronSelectivity(2, 1, 4),
  },
  FactorTransferDistillationStrategy: {
    // Scaling a row, or adding up its squares in another order, may round a tie away.
    'by default': { ...factorTransfer({}, ['row-order']), isRegular: isApart },
    'exponent 2': factorTransfer({ exponent: 2 }, [
      'row-order',
      'column-order',
      'student-scale',
      'teacher-scale',
    ]),
    'with channels': {
      ...factorTransfer({ channels: 2 }, ['row-order']),
      isRegular: isApart,
      columns: 6,
    },
    'with other channels, exponent 2': {
      ...factorTransfer({ exponent: 2, channels: { student: 1, teacher: 3 } }, [
        'row-order',
        'student-scale',
      ]),
      columns: { student: 3, teacher: 9 },
    },
  },
  MarginReLUDistillationStrategy: {
    'of one channel': {
      create: () => new MarginReLUDistillationStrategy({ margins: [-0.4] }),
      values: 'features',
      invariances: ['row-order', 'column-order'],
    },
    'of channels': {
      create: () => new MarginReLUDistillationStrategy({ margins: [-2.3, 0, -0.4] }),
      values: 'features',
      columns: 3 * 2,
      invariances: ['row-order'],
    },
    'of feature maps, projected': {
      create: <T extends FloatArray>(numeric: NumericTrait<T>) =>
        new MarginReLUDistillationStrategy<T>({
          margins: [-2.3, -0.4],
          projection: roundedProjection(3, 2, { bias: true, numeric }),
        }),
      values: 'features',
      columns: { student: 3 * 2, teacher: 2 * 2 },
      invariances: ['row-order'],
      float32Tolerance: PROJECTED_TOLERANCE,
    },
  },
  VariationalDistillationStrategy: {
    'by default': variational({ channels: 3 }),
    'of a variance of 1': {
      ...variational({ channels: 2, initialVariance: 1 }),
      reachesMinimum: true,
    },
    'of feature maps, projected': {
      ...variational({ channels: 4 }, { bias: true }),
      columns: { student: 2 * 3, teacher: 4 * 3 },
      float32Tolerance: PROJECTED_TOLERANCE,
    },
  },
};
