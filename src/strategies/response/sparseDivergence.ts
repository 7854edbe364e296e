import { type DistillationBatch, isSparse } from '../../call/batch.js';
import {
  checkFinite,
  checkLabelAllowed,
  checkSides,
  checkSomeAllowed,
} from '../../call/diagnosis.js';
import type { GradientSink } from '../../call/gradient.js';
import { checkChoice, refuse } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import type { ResponseOptions } from './base.js';
import { DivergenceDistillationStrategyBase } from './divergence.js';
import type { SoftRows } from './softRows.js';
import { sparseRows, type Tail } from './sparseRows.js';

/** Options of the response losses that take {@link SparseTargets} for a teacher. */
export interface SparseResponseOptions extends ResponseOptions {
  /**
   * What becomes of the classes that {@link SparseTargets} leave out; `'bucket'`.
   *
   * - `'bucket'`: they count as one class more, with the probability that they have together, on both sides. Needs
   *   log-probabilities at the strategy's temperature.
   * - `'renormalize'`: both sides are taken as distributions over the classes that the teacher kept.
   * - `'drop'`: their terms are left out of the sum. No divergence: it may be negative, and least elsewhere than at
   *   student = teacher. Needs log-probabilities at the strategy's temperature.
   */
  readonly tail?: Tail;
}

/** Divergences that take a sparse teacher too: as divergences of fewer classes. */
export abstract class SparseDivergenceStrategyBase<
  T extends FloatArray = Float32Array,
> extends DivergenceDistillationStrategyBase<T, SparseTargets<T>> {
  readonly tail: Tail;

  constructor(options: SparseResponseOptions = {}, own: readonly string[] = []) {
    super(options, ['tail', ...own]);
    const { tail = 'bucket' } = options;
    this.tail = checkChoice(this.name, 'tail', tail, ['bucket', 'renormalize', 'drop']);
  }

  protected override get takesSparse(): boolean {
    return true;
  }

  protected override validate(batch: DistillationBatch<T, SparseTargets<T>>): void {
    super.validate(batch);
    const { operation, teacher, rows, temperature } = batch;
    if (!isSparse(teacher)) return;
    if (this.standardizeLogits) {
      const expected = 'come with every logit of the teacher';
      refuse('MISPLACED_OPTION', operation, 'standardizeLogits', expected, 'SparseTargets');
    }
    teacher.check(operation, rows);
    if (teacher.values.columns === teacher.columns || this.tail === 'renormalize') return;
    const hint = "or choose tail: 'renormalize'";
    const expected = `hold log-probabilities at temperature ${temperature}, the strategy's`;
    if (teacher.kind === 'logits') {
      refuse('TEMPERATURE', operation, 'teacher', expected, 'logits', undefined, hint);
    }
    if (teacher.temperature === temperature) return;
    const received = `temperature ${teacher.temperature}`;
    refuse('TEMPERATURE', operation, 'teacher', expected, received, undefined, hint);
  }

  /** @internal */
  protected override explainSoft(batch: DistillationBatch<T, SparseTargets<T>>): void {
    const { operation, teacher, labels, rows, temperature } = batch;
    if (!isSparse(teacher)) {
      super.explainSoft(batch);
      return;
    }
    checkFinite(batch, -Infinity);
    if (labels) checkLabelAllowed(batch, labels, -Infinity);
    const soft = this.softRows(batch);
    const k = teacher.values.columns;
    for (const row of rows) {
      const { student: x, teacher: y } = soft.load(row, temperature, -1);
      const columnOf = (i: number) => (i < k ? teacher.indices[row * k + i] : undefined); // the bucket has none
      checkSides(operation, row, x, y, -Infinity, this.ruledOutBy, columnOf);
      checkSomeAllowed(operation, row, x, y, -Infinity, 'in some class that the teacher kept');
    }
  }

  protected override evaluate(
    batch: DistillationBatch<T, SparseTargets<T>>,
    gradient?: GradientSink<T>,
  ): number {
    const { student, teacher, labels, rows, temperature, normalizer } = batch;
    if (!isSparse(teacher) || labels) return super.evaluate(batch, gradient);
    // With no other term beside it, the gradient of a row is written at once.
    const soft = sparseRows(student, teacher, this.tail);
    const softLoss = this.softLoss(soft.columns, soft.terms);
    const weight = this.factor(temperature) / normalizer;
    let loss = 0;
    for (const row of rows) {
      loss += weight * softLoss(soft.load(row, temperature, -1));
      if (gradient) soft.addTo(row, weight, gradient);
    }
    return loss;
  }

  /** @internal */
  protected override softRows(batch: DistillationBatch<T, SparseTargets<T>>): SoftRows {
    const { student, teacher } = batch;
    return isSparse(teacher) ? sparseRows(student, teacher, this.tail) : super.softRows(batch);
  }
}
