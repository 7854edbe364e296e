import type { DistillationBatch } from '../../call/batch.js';
import { checkFinite, checkRuledOut, type RuledOutBy } from '../../call/diagnosis.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { meanOverRows } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { checkBoolean } from '../../core/errors.js';
import { checkClasses, checkDistribution, checkLabels, hasLabel } from '../../core/labels.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import {
  type HardLoss,
  type RowLabel,
  softmaxCrossEntropy,
} from '../../kernels/rows/crossEntropy.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import type { JointLoss } from './joint.js';
import { denseRows, type SoftLoss, type SoftRows } from './softRows.js';

/** Options of every response strategy. */
export interface ResponseOptions extends StrategyOptions {
  /** Multiply the soft loss by T², which keeps its gradient at the scale of the hard one; true. */
  readonly temperatureSquared?: boolean;
  /**
   * Take (z − mean) / (standard deviation + 1e-7) of every row of logits on both sides before the temperature, so that
   * the student has to match the teacher's relations and not its range; false. Sun et al. (2024), "Logit
   * Standardization in Knowledge Distillation", §3.3, arXiv:2403.01427. No class can then be ruled out, and at a row of equal
   * logits the derivative is steep: 1e7 times that at a deviation of 1.
   */
  readonly standardizeLogits?: boolean;
}

/** What the teacher's part of a row's loss, the one of weight 1 − α, is made of; constants to the gradient. */
export interface TeacherShares {
  /** How often the cross-entropy with the label is in it. */
  readonly hard: number;
  /** How often the soft loss is. */
  readonly soft: number;
}

const SOFT_ALONE: TeacherShares = { hard: 0, soft: 1 };
const HARD_ALONE: TeacherShares = { hard: 1, soft: 0 };

/**
 * What all response losses share; a strategy writes the loss of a softened row alone, {@link softLoss}:
 *
 *     row with a label   α · CE(label, softmax(student)) + (1 − α) · T² · softLoss(student / T, teacher / T)
 *     row without        T² · softLoss(student / T, teacher / T)
 *
 * The cross-entropy is at temperature 1, unless `hardLoss` says another; `teacherShares` says where the part of
 * 1 − α is of something else than the soft loss, and `jointLoss` what there is beside it of all rows together. The base takes
 * care of labels, temperatures, standardized logits, masks, the mean over rows, and of the derivative through all of them.
 */
export abstract class ResponseDistillationStrategyBase<
  T extends FloatArray = Float32Array,
  Sparse extends SparseTargets<T> = never,
> extends DistillationStrategyBase<T, Sparse> {
  readonly temperatureSquared: boolean;
  readonly standardizeLogits: boolean;

  /** @param own - the names of the options that a strategy adds */
  constructor(options: ResponseOptions = {}, own: readonly string[] = []) {
    super(options, ['temperatureSquared', 'standardizeLogits', ...own]);
    const { temperatureSquared = true, standardizeLogits = false } = options;
    this.temperatureSquared = checkBoolean(this.name, 'temperatureSquared', temperatureSquared);
    this.standardizeLogits = checkBoolean(this.name, 'standardizeLogits', standardizeLogits);
  }

  override get usesLabels(): boolean {
    return true;
  }

  /**
   * The loss of a row of so many softened logits; called once for a batch, for what it needs room for.
   *
   * @param terms - of so many of them, the first, the terms count: of all, unless a sparse teacher has some dropped
   */
  protected abstract softLoss(columns: number, terms: number): SoftLoss;

  /**
   * @internal What every row has beside its soft loss, and weighted as that is: a loss of all softened rows together, as `jointly` makes
   * it. There is none unless a strategy says so.
   */
  protected jointLoss(): JointLoss | undefined {
    return undefined;
  }

  /** @internal The loss of a row of so many logits with its label; the cross-entropy at temperature 1. */
  protected hardLoss(columns: number): HardLoss {
    return softmaxCrossEntropy(columns);
  }

  /** @internal Throws unless a row of a matrix of labels is what `hardLoss` takes: a distribution. */
  protected checkLabelRow(operation: string, labels: Matrix<T>, row: number): void {
    checkDistribution(operation, 'labels', labels, row);
  }

  /** Whether every row has to have a class for a label. */
  protected get needsClasses(): boolean {
    return false;
  }

  /** @internal Whether the classes of the teacher are those of the student; by default they are. */
  protected get sharesClasses(): boolean {
    return true;
  }

  /** Who must not rule a class out alone; a student must not, by default. */
  protected get ruledOutBy(): RuledOutBy {
    return 'student';
  }

  /** The temperatures at which the soft loss is taken, and summed: the one of the call. */
  protected temperatures(temperature: number): readonly number[] {
    return [temperature];
  }

  /** T², or 1. */
  protected factor(temperature: number): number {
    return this.temperatureSquared ? temperature * temperature : 1;
  }

  /** @internal What a joint loss counts at a temperature: what the soft loss does. */
  protected jointFactor(temperature: number): number {
    return this.factor(temperature);
  }

  /** @internal What the teacher's part of each row is made of: of the soft loss alone. Called once for a batch. */
  protected teacherShares(
    _batch: DistillationBatch<T, Sparse>,
  ): (row: number, label: RowLabel) => TeacherShares {
    return () => SOFT_ALONE;
  }

  /** @internal The rows as the soft loss sees them; of a dense teacher, unless a strategy that takes others says otherwise. */
  protected softRows(batch: DistillationBatch<T, Sparse>): SoftRows {
    return denseRows(batch.student, batch.teacher as Matrix<T>, this.standardizeLogits);
  }

  protected override validate(batch: DistillationBatch<T, Sparse>): void {
    if (this.sharesClasses) super.validate(batch);
    const { operation, student, labels, rows } = batch;
    if (labels) {
      checkLabels(operation, labels, student.columns, rows, (matrix, row) =>
        this.checkLabelRow(operation, matrix, row),
      );
    }
    if (this.needsClasses) checkClasses(operation, labels, rows);
  }

  protected override explain(batch: DistillationBatch<T, Sparse>): void {
    const { student, labels, rows, alpha } = batch;
    // At alpha = 1 the teacher of a row with a label was not read, unless with that of another: it is not to blame.
    const isLabeled = (row: number) => labels !== undefined && hasLabel(labels, row);
    const isTogether = this.jointLoss() !== undefined && !rows.every(isLabeled);
    const isHard = (row: number) => alpha === 1 && isLabeled(row) && !isTogether;
    this.explainSoft({ ...batch, rows: rows.filter((row) => !isHard(row)) });
    const hard = { ...batch, rows: rows.filter(isHard), teacher: student, sparse: undefined };
    checkRuledOut(hard, -Infinity, this.ruledOutBy, labels);
  }

  /** @internal The same for rows whose teacher was read. */
  protected explainSoft(batch: DistillationBatch<T, Sparse>): void {
    if (this.standardizeLogits) checkFinite(batch);
    const teacher = batch.teacher as Matrix<T>;
    checkRuledOut(
      { ...batch, teacher, sparse: undefined },
      -Infinity,
      this.ruledOutBy,
      batch.labels,
    );
  }

  protected override evaluate(
    batch: DistillationBatch<T, Sparse>,
    gradient?: GradientSink<T>,
  ): number {
    const { student, temperature, alpha } = batch;
    const soft = this.softRows(batch);
    const softLoss = this.softLoss(soft.columns, soft.terms);
    const hardLoss = this.hardLoss(student.columns);
    const temperatures = this.temperatures(temperature);
    const sharesOf = this.teacherShares(batch);
    const labelOf = rowLabels(batch);
    const weightsOf = (row: number, label: RowLabel): TeacherShares => {
      const own = label === -1 ? 0 : alpha;
      if (own === 1) return HARD_ALONE;
      const shares = sharesOf(row, label);
      return { hard: own + (1 - own) * shares.hard, soft: (1 - own) * shares.soft };
    };
    const jointPart = this.jointLoss()?.(soft, {
      rows: batch.rows,
      temperatures,
      factor: (each) => this.jointFactor(each),
      weightOf: (row) => weightsOf(row, labelOf(row)).soft,
    });
    const unread = new Float64Array(student.columns);
    return meanOverRows(batch, gradient, (offset, _, derivative = unread, row) => {
      derivative.fill(0);
      const label = labelOf(row);
      const weights = weightsOf(row, label);
      let loss = 0;
      if (weights.soft !== 0) {
        for (const each of temperatures) {
          const weight = weights.soft * this.factor(each);
          loss += weight * softLoss(soft.load(row, each, label));
          soft.addDerivative(weight, derivative);
        }
      }
      if (jointPart) loss += jointPart(row, weights.soft, derivative);
      if (weights.hard === 0) return loss;
      return loss + hardLoss(student.data, offset, label, weights.hard, derivative);
    });
  }
}

/** The label of each row: a class where labels are classes or one-hot, −1 where there is none. */
function rowLabels<T extends FloatArray>({
  classes,
  distributions,
}: DistillationBatch<T, SparseTargets<T>>): (row: number) => RowLabel {
  if (!distributions) return (row) => classes?.[row] ?? -1;
  const { data, columns } = distributions;
  return (row) => ({ values: data, offset: row * columns });
}
