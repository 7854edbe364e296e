import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type DivergenceDistillationStrategyBase,
  type DivergenceOptions,
  type FloatArray,
  type IDistillationStrategy,
  type Matrix,
  SparseTargets,
} from '../../src/index.js';
import { arbitraries, type StrategySubject, strategyLaws } from '../../src/testing/index.js';
import { describeKernels, runsOf } from '../support/describeKernels.js';
import { matrix } from '../support/float64Matrix.js';
import { wrong } from '../support/refusal.js';

// Divergences also accept sparse teachers: their laws hold, and a sparse teacher with all classes
// is the dense teacher.

/** Properties of a divergence with sparse teachers that differ from other divergences. */
export interface SparsePromises extends Partial<StrategySubject> {
  /** True if the derivative jumps at a tie, which rounding may make or break. */
  readonly jumps?: boolean;
  /** The tested tails; all by default. */
  readonly tails?: readonly Tail[];
}

type Tail = NonNullable<DivergenceOptions['tail']>;

/** Handling of the classes that a sparse teacher does not keep. */
export const TAILS: readonly Tail[] = ['bucket', 'renormalize', 'drop'];

/** A divergence, whose class may be internal. */
type Divergence = DivergenceDistillationStrategyBase<Float64Array>;

/**
 * The strategy with a sparse teacher that keeps the k largest logits of the given dense teacher.
 */
function keeping(k: number, strategy: Divergence): IDistillationStrategy<Float64Array> {
  const { temperature } = strategy;
  return through(
    (teacher) => SparseTargets.topK(teacher, Math.min(k, teacher.columns), { temperature }),
    strategy,
  );
}

/** The strategy with a sparse teacher that is made of the given dense teacher. */
export function through(
  sparse: (teacher: Matrix<Float64Array>) => SparseTargets<Float64Array>,
  strategy: Divergence,
): IDistillationStrategy<Float64Array> {
  const { temperature, alpha } = strategy;
  return {
    temperature,
    alpha,
    computeLoss: (student, teacher, ...rest) =>
      strategy.computeLoss(student, sparse(teacher), ...rest),
    computeGradient: (student, teacher, ...rest) =>
      strategy.computeGradient(student, sparse(teacher), ...rest),
  };
}

/**
 * The same teacher with only the first `counts[row]` classes of each row; the values of the others
 * are NaN.
 */
export function ragged(
  { indices, values, columns, temperature }: SparseTargets<Float64Array>,
  counts: readonly number[],
  logTail?: Float64Array,
): SparseTargets<Float64Array> {
  const [kept, logProbabilities] = [indices.slice(), values.clone()];
  for (const [row, count] of counts.entries()) {
    kept.fill(-1, row * values.columns + count, (row + 1) * values.columns);
    logProbabilities.row(row).fill(Number.NaN, count);
  }
  return new SparseTargets({ indices: kept, logProbabilities, columns, temperature, logTail });
}

/** Registers the laws of a divergence with a sparse teacher. */
export function proveSparse(
  { name, prototype }: { readonly name: string; readonly prototype: object },
  { jumps = false, tails = TAILS, ...promises }: SparsePromises,
): void {
  const Strategy = wrong<new (options: DivergenceOptions) => Divergence>(prototype.constructor);
  for (const tail of tails) {
    describeKernels(`${name} with a sparse teacher, tail: '${tail}'`, (kernel) => {
      const laws = strategyLaws(
        fc,
        {
          create: <T extends FloatArray>() =>
            wrong<IDistillationStrategy<T>>(keeping(2, new Strategy({ tail, temperature: 2 }))),
          values: 'logits',
          // Where nothing is left to drop, numerical differences show only the rounding of terms
          // that cancel.
          ruledOut: tail !== 'drop',
          invariances: ['row-order', 'row-shift'],
          float32Tolerance: 1e-4, // soft and hard terms may nearly cancel
          // 'drop' sums a part of the terms: at least −1/e nats for each, times T²
          ...(tail === 'drop' && { minimum: -4, reachesMinimum: false }),
          ...promises,
        },
        runsOf(kernel),
      );
      for (const law of laws) {
        // Log-probabilities are rounded when they are stored in float32, which remains where all
        // else cancels.
        if (law.name === 'float32 agrees with float64') continue;
        test(law.name, () => expect(law.check).not.toThrow());
      }

      test('a row of fewer classes has the loss of that row alone', () => {
        const { logits } = arbitraries(fc);
        const shape = { rows: 3, columns: 5 };
        fc.assert(
          fc.property(logits(shape), logits(shape), (s, t) => {
            const strategy = new Strategy({ tail, temperature: 2 });
            const counts = [2, 5, 1];
            const teacher = SparseTargets.topK(matrix(...t), 5, { temperature: 2 });
            const { gradient, loss } = strategy.computeLossAndGradient(
              matrix(...s),
              ragged(teacher, counts),
            );
            let sum = 0;
            for (const [row, count] of counts.entries()) {
              const alone = strategy.computeLossAndGradient(
                matrix(s[row]!),
                SparseTargets.topK(matrix(t[row]!), count, { temperature: 2 }),
              );
              sum += alone.loss / 3;
              for (let j = 0; j < 5 && !jumps; j++) {
                expect(3 * gradient.get(row, j)).toBeCloseTo(alone.gradient.get(0, j), 11);
              }
            }
            expect(loss).toBeCloseTo(sum, 11);
          }),
          { numRuns: 30, includeErrorInReport: true },
        );
      });

      test('a sparse teacher with all classes is the dense teacher', () => {
        const { logits } = arbitraries(fc);
        const shape = { rows: 2, columns: 4 };
        fc.assert(
          fc.property(logits(shape), logits(shape), (s, t) => {
            const [student, teacher] = [matrix(...s), matrix(...t)];
            const strategy = new Strategy({ tail, temperature: 2 });
            const all = keeping(4, strategy);
            const loss = strategy.computeLoss(student, teacher);
            expect(all.computeLoss(student, teacher)).toBeCloseTo(loss, 11);
            if (jumps) return;
            const gradient = strategy.computeGradient(student, teacher).data;
            const own = all.computeGradient(student, teacher).data;
            for (const [i, value] of gradient.entries()) expect(own[i]).toBeCloseTo(value, 11);
          }),
          { ...runsOf(kernel), includeErrorInReport: true },
        );
      });
    });
  }
}
