import type { TeacherOutput } from '../../call/batch.js';
import type { EvaluationOptions } from '../../call/options.js';
import {
  checkChoice,
  checkNumbers,
  checkOptions,
  refuse,
  throwShape,
  throwType,
} from '../../core/errors.js';
import type { Labels } from '../../core/labels.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import { norm } from '../../kernels/rows/distance.js';
import { HybridDistillationStrategy } from './hybrid.js';
import type { LayerOutputs, LayerwiseOptions, TeacherLayerOutputs } from './layers.js';
import { isHybrid, nameOf } from './nested.js';

/** Arguments of a call of a hybrid: one matrix for each side, or matrices by layer. */
export type HybridBatch<T extends FloatArray = Float32Array> =
  | {
      readonly student: Matrix<T>;
      readonly teacher: TeacherOutput<T>;
      readonly labels?: Labels<T> | undefined;
      readonly options?:
        | Omit<EvaluationOptions<T>, 'gradient' | 'accumulate' | 'rowLosses'>
        | undefined;
    }
  | {
      readonly student: LayerOutputs<T>;
      readonly teacher: TeacherLayerOutputs<T>;
      readonly labels?: Labels<T> | undefined;
      readonly options?:
        | Omit<LayerwiseOptions<T>, 'gradients' | 'accumulate' | 'rowLosses'>
        | undefined;
    };

/** Options of {@link balancedWeights}. */
export interface BalanceOptions {
  /**
   * Contribution of an entry: its loss, or the length of its gradient.
   *
   * @defaultValue `'loss'`
   */
  readonly by?: 'loss' | 'gradient' | undefined;
}

/**
 * Finds the weights at which each entry of a hybrid contributes a given share, on one batch.
 *
 * ```math
 * w_k c_k = r_k Σ_l w′_l c_l
 * ```
 *
 * r_k is the share of entry k divided by the sum of the shares, w′_k its weight in the hybrid, and
 * w_k the weight returned. The contribution c_k is the entry's loss, or the length of its gradient:
 * ‖d loss / d student‖ over all layers that the entry reads.
 *
 * Losses differ by powers of ten: at equal weights, a relation loss of 1e-4 beside a response loss
 * of 2 does nothing. The sum of all contributions stays the same, so that the learning rate still
 * fits. Each entry is evaluated once.
 *
 * @param hybrid - a hybrid; its entries are evaluated one by one, and nothing in it is changed
 * @param batch - arguments of a call of the hybrid: a typical batch of a student that has begun to
 *   learn
 * @param shares - one number for each entry, finite and > 0; only their ratios count, as in
 *   `[40, 30, 30]`
 * @param options - `by: 'gradient'` balances the gradients that reach the student, `by: 'loss'` the
 *   losses
 * @returns one weight for each entry, in their order, for a hybrid with `weights: 'free'`
 * @throws {DistillationError} `OUT_OF_RANGE` where an entry contributes nothing or a loss is
 *   negative; `WEIGHT_SUM` where all weights of the hybrid are 0; `SHAPE_MISMATCH` for another
 *   number of shares than entries; and the errors of the strategies
 *
 * @example
 * ```ts
 * import {
 *   balancedWeights,
 *   FeatureDistillationStrategy,
 *   HybridDistillationStrategy,
 *   Matrix,
 *   ResponseDistillationStrategy,
 * } from 'knowledge-distillation';
 *
 * const hybrid = new HybridDistillationStrategy([
 *   { strategy: new ResponseDistillationStrategy(), weight: 0.5 },
 *   { strategy: new FeatureDistillationStrategy(), weight: 0.5 },
 * ]);
 * const batch = { student: Matrix.fromRows([[1, 0, -1]]), teacher: Matrix.fromRows([[9, 0, 4]]) };
 * const weights = balancedWeights(hybrid, batch, [70, 30], { by: 'gradient' });
 * console.log(weights.map((weight) => weight.toFixed(3))); // [ '1.937', '0.183' ]
 * const entries = hybrid.getStrategies().map((entry, i) => ({ ...entry, weight: weights[i]! }));
 * const balanced = new HybridDistillationStrategy(entries, { weights: 'free' });
 * ```
 */
export function balancedWeights<T extends FloatArray>(
  hybrid: HybridDistillationStrategy<T>,
  batch: HybridBatch<T>,
  shares: ArrayLike<number>,
  options: BalanceOptions = {},
): number[] {
  const operation = 'balancedWeights';
  if (typeof hybrid !== 'object' || hybrid === null || !isHybrid(hybrid)) {
    throwType(operation, 'hybrid', 'be a HybridDistillationStrategy', hybrid);
  }
  checkOptions(operation, 'batch', batch, ['student', 'teacher', 'labels', 'options']);
  checkOptions(operation, 'options', options, ['by']);
  const { by = 'loss' } = options;
  checkChoice(operation, 'by', by, ['loss', 'gradient']);
  const entries = hybrid.getStrategies();
  const inRange = (value: number) => value > 0 && value < Infinity;
  const wanted = checkNumbers(operation, 'shares', shares, 'be a finite number > 0', inRange);
  if (wanted.length !== entries.length) {
    throwShape(operation, 'shares', [wanted.length], [entries.length], 'one for each entry');
  }
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
  const sumOfShares = sum(wanted);
  if (sumOfShares === Infinity)
    refuse('OVERFLOW', operation, 'shares', 'have a finite sum', 'Infinity');
  if (entries.every(({ weight }) => weight === 0)) {
    refuse('WEIGHT_SUM', operation, 'hybrid', 'have an entry of weight above 0', 'none');
  }
  const contributions = entries.map((_, index) => contributionOf(hybrid, index, batch, by));
  for (const [i, contribution] of contributions.entries()) {
    if (contribution > 0) continue;
    const expected = by === 'loss' ? 'have a loss above 0' : 'have a gradient that is not 0';
    const hint = 'take a batch on which the student is not yet like the teacher';
    const argument = `strategies[${i}] (${nameOf(entries[i]!)})`;
    refuse('OUT_OF_RANGE', operation, argument, expected, String(contribution), { hint });
  }
  const total = sum(entries.map(({ weight }, i) => weight * contributions[i]!));
  return contributions.map(
    (contribution, i) => ((wanted[i]! / sumOfShares) * total) / contribution,
  );
}

/**
 * Returns the contribution of an entry at weight 1. The gradients of parameters stay as they are.
 */
function contributionOf<T extends FloatArray>(
  hybrid: HybridDistillationStrategy<T>,
  index: number,
  batch: HybridBatch<T>,
  by: 'loss' | 'gradient',
): number {
  // The other entries stay, at weight 0, because the call may name their layers.
  const entries = hybrid
    .getStrategies()
    .map((entry, other) => ({ ...entry, weight: other === index ? 1 : 0 }));
  const alone = new HybridDistillationStrategy<T>(entries, hybrid.overrides());
  const parameterGradients = alone.parameters().map(({ gradient }) => gradient);
  const saved = parameterGradients.map((gradient) => gradient.clone());
  try {
    const { loss, gradients } = evaluate(alone, batch);
    if (by === 'loss') return loss;
    const lengths = Object.values(gradients).map(({ data }) => norm(data, 0, data.length));
    return norm(Float64Array.from(lengths), 0, lengths.length);
  } finally {
    for (const [i, gradient] of parameterGradients.entries()) gradient.data.set(saved[i]!.data);
  }
}

interface Evaluated<T extends FloatArray> {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Matrix<T>>>;
}

function evaluate<T extends FloatArray>(
  hybrid: HybridDistillationStrategy<T>,
  batch: HybridBatch<T>,
): Evaluated<T> {
  if (isByLayer(batch)) {
    const { student, teacher, labels, options } = batch;
    return hybrid.computeLayerwise(student, teacher, labels, options);
  }
  const { student, teacher, labels, options } = batch;
  const target = teacher as Matrix<T>; // or a sparse teacher, if the entries take one
  const { loss, gradient } = hybrid.computeLossAndGradient(student, target, labels, options);
  return { loss, gradients: { output: gradient } };
}

function isByLayer<T extends FloatArray>(
  batch: HybridBatch<T>,
): batch is Extract<HybridBatch<T>, { readonly student: LayerOutputs<T> }> {
  return Object(batch.student) === batch.student && !('numeric' in batch.student);
}
