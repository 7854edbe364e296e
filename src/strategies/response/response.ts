import type { DistillationBatch } from '../../batch.js';
import { checkRuledOut } from '../../diagnosis.js';
import { checkBoolean } from '../../errors.js';
import type { GradientSink } from '../../gradient.js';
import {
  addLogSoftmaxGradient,
  crossEntropy,
  kullbackLeibler,
  softmax,
  sumOf,
} from '../../kernels/softmax.js';
import { checkLabels, hasLabel, readLabel } from '../../labels.js';
import type { FloatArray } from '../../numeric.js';
import { DistillationStrategyBase, type StrategyOptions } from '../../strategy.js';

export interface ResponseDistillationOptions extends StrategyOptions {
  /** Multiply the soft loss by T², which keeps its gradient at the scale of the hard one; true. */
  readonly temperatureSquared?: boolean;
}

/**
 * Hinton's distillation of the output layer, mean over rows:
 *
 *     α · CE(student, label) + (1 − α) · T² · KL(softmax(teacher / T) ‖ softmax(student / T))
 *
 * A row without a label has the loss T² · KL alone. The cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, any finite value or −Infinity (a class ruled
 *   out). What the teacher allows the student must not rule out.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are distributions.
 *
 * Returns a loss ≥ 0 in nats, where every row has one label or none; 0 at student = teacher without labels. Each row of
 * the gradient sums to 0, and neither changes when a constant is added to a row of logits.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity), RULED_OUT,
 * OUT_OF_RANGE (temperature, alpha, labels), NOT_A_DISTRIBUTION (labels).
 *
 * For T → ∞ the soft term tends to half the mean over classes of the squared difference of the centred logits. Its
 * relative error grows as 1e-15 · T over the spread of that difference: keep T below 1e8. At alpha = 1 the teacher of a
 * row with a label is not read. Cost: two to three exponentials a logit; beside the gradient, memory for a few rows.
 *
 * Hinton, Vinyals, Dean (2015), "Distilling the Knowledge in a Neural Network", §2, arXiv:1503.02531. The paper
 * speaks of the cross-entropy with soft targets; the KL divergence has the same gradient and is 0 at the minimum.
 *
 * @example
 * import { Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new ResponseDistillationStrategy({ temperature: 4, alpha: 0.1 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4], [2.0, 0.1, 0.3]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0], [4.0, 0.5, 0.2]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, Int32Array.of(1, 0));
 */
export class ResponseDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  readonly temperatureSquared: boolean;

  constructor(options: ResponseDistillationOptions = {}) {
    super(options, ['temperatureSquared']);
    const { temperatureSquared = true } = options;
    this.temperatureSquared = checkBoolean(this.name, 'temperatureSquared', temperatureSquared);
  }

  override get name(): string {
    return 'ResponseDistillationStrategy';
  }

  override get usesLabels(): boolean {
    return true;
  }

  protected override validate(batch: DistillationBatch<T>): void {
    super.validate(batch);
    const { operation, student, labels, rows } = batch;
    if (labels) checkLabels(operation, labels, student.columns, rows);
  }

  protected override explain(batch: DistillationBatch<T>): void {
    const { student, labels, rows, alpha } = batch;
    // At alpha = 1 the teacher of a row with a label was not read: it is not to blame.
    const isHard = (row: number) => labels !== undefined && alpha === 1 && hasLabel(labels, row);
    const soft = { ...batch, rows: rows.filter((row) => !isHard(row)) };
    const hard = { ...batch, rows: rows.filter(isHard), teacher: student };
    for (const part of [soft, hard]) checkRuledOut(part, -Infinity, false, labels);
  }

  protected override evaluate(
    { student, teacher, labels, rows, temperature, alpha }: DistillationBatch<T>,
    gradient?: GradientSink<T>,
  ): number {
    const { columns } = student;
    const scratch = () => new Float64Array(columns);
    const [label, logP, p, logQ, q, derivative] = [
      scratch(),
      scratch(),
      scratch(),
      scratch(),
      scratch(),
      scratch(),
    ];
    const scale = this.temperatureSquared ? temperature * temperature : 1;
    let sum = 0;
    for (const row of rows) {
      const offset = row * columns;
      const hardWeight = labels !== undefined && readLabel(labels, row, label) ? alpha : 0;
      derivative.fill(0);
      if (hardWeight < 1) {
        const softWeight = (1 - hardWeight) * scale;
        softmax(teacher.data, offset, columns, temperature, logP, p);
        softmax(student.data, offset, columns, temperature, logQ, q);
        sum += softWeight * kullbackLeibler(logP, p, logQ, q);
        addLogSoftmaxGradient(derivative, p, 1, q, softWeight / temperature);
      }
      if (hardWeight > 0) {
        softmax(student.data, offset, columns, 1, logQ, q);
        sum += hardWeight * crossEntropy(label, logQ, columns);
        addLogSoftmaxGradient(derivative, label, sumOf(label), q, hardWeight);
      }
      gradient?.add(row, derivative);
    }
    return sum;
  }
}
