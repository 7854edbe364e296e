import type { DistillationBatch } from '../../call/batch.js';
import { checkFinite, checkRuledOut, type RuledOutBy } from '../../call/diagnosis.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { refuseTemperatures } from '../../call/rowOptions.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { checkBoolean, checkPositive } from '../../core/errors.js';
import { checkClasses, checkLabels, hasLabel } from '../../core/labels.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import { refuseProbabilities } from '../../core/probabilities.js';
import { checkDistributions } from '../../kernels/rows/distributions.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import { isSparse } from '../../teachers/sparseCheck.js';
import { evaluateResponse } from './_evaluation.js';
import type { ResponseLoss } from './_pass.js';
import { SpareTables } from './_rowTables.js';
import type { SoftLoss } from './_softRows.js';
import { checkSparse, explainSparse } from './_sparseChecks.js';
import { type ResponseTerms, RULED_OUT_BY } from './_terms.js';

/** Options of every response strategy. */
export interface ResponseOptions extends StrategyOptions {
  /** Multiply the soft loss by T², which keeps its gradient at the scale of the hard one; true. */
  readonly temperatureSquared?: boolean | undefined;
  /**
   * Take (z − mean) / (standard deviation + 1e-7) of every row of logits on both sides before the
   * temperature, so that the student has to match the teacher's relations and not its range; false.
   * Sun et al. (2024), "Logit Standardization in Knowledge Distillation", §3.3, arXiv:2403.01427.
   * No class can then be ruled out, and at a row of equal logits the derivative is steep: 1e7 times
   * the derivative at a deviation of 1.
   */
  readonly standardizeLogits?: boolean | undefined;
  /**
   * The temperature of the teacher, finite and > 0, where it is not that of the student: DINO has
   * 0.04 for the teacher and 0.1 for the student. The factor T² has the student's temperature. With
   * this option, the loss is in general least elsewhere than at student = teacher.
   */
  readonly teacherTemperature?: number | undefined;
}

/**
 * What all response losses share; a strategy writes the loss of a softened row alone,
 * {@link softLoss}:
 *
 *     row with a label   α · CE(label, softmax(student)) + (1 − α) · T² · softLoss(student / T, teacher / T)
 *     row without        T² · softLoss(student / T, teacher / T)
 *
 * The cross-entropy is at temperature 1. The base takes care of labels, temperatures, standardized
 * logits, masks, the mean over rows, and of the derivative through all of them.
 */
export abstract class ResponseDistillationStrategyBase<
  T extends FloatArray = Float32Array,
  Sparse extends SparseTargets<T> = never,
> extends DistillationStrategyBase<T, Sparse> {
  readonly temperatureSquared: boolean;
  readonly standardizeLogits: boolean;
  #teacherTemperature: number | undefined;
  #made: ResponseLoss | undefined;

  /** @param own - the names of the options that a strategy adds */
  constructor(options: ResponseOptions = {}, own: readonly string[] = []) {
    super(options, ['temperatureSquared', 'standardizeLogits', 'teacherTemperature', ...own]);
    const { temperatureSquared = true, standardizeLogits = false, teacherTemperature } = options;
    this.temperatureSquared = checkBoolean(this.name, 'temperatureSquared', temperatureSquared);
    this.standardizeLogits = checkBoolean(this.name, 'standardizeLogits', standardizeLogits);
    if (teacherTemperature !== undefined) this.teacherTemperature = teacherTemperature;
  }

  /** The temperature of the teacher; `undefined` where it is that of the student. */
  get teacherTemperature(): number | undefined {
    return this.#teacherTemperature;
  }
  set teacherTemperature(value: number | undefined) {
    this.#teacherTemperature =
      value === undefined ? value : checkPositive(this.name, 'teacherTemperature', value);
  }

  override get usesLabels(): boolean {
    return true;
  }

  override get usesTemperatures(): boolean {
    return true;
  }

  override get isSumOverRows(): boolean {
    return this.#described.joint === undefined;
  }

  /**
   * The loss of a row of softened logits, in JavaScript; called once for a batch, for its scratch
   * memory.
   *
   * @param columns - logits of a row of the student
   * @param terms - number of leading columns that enter the loss; smaller than `columns` only where
   * the tail of a sparse teacher is dropped
   */
  protected abstract softLoss(columns: number, terms: number): SoftLoss;

  /** Whether every row has to have a class for a label; false by default. */
  protected get needsClasses(): boolean {
    return false;
  }

  /**
   * Who must not rule a class out alone, since the loss is infinite there; the student, by default.
   */
  protected get ruledOutBy(): RuledOutBy {
    return RULED_OUT_BY;
  }

  /** @internal What else is particular to the loss; called once. */
  protected describe(): ResponseTerms {
    return {};
  }

  get #described(): ResponseTerms {
    return this.#loss.terms;
  }

  get #loss(): ResponseLoss {
    const strategy = this;
    this.#made ??= {
      terms: this.describe(),
      softLoss: (columns, terms) => this.softLoss(columns, terms),
      temperatureSquared: this.temperatureSquared,
      standardizeLogits: this.standardizeLogits,
      get teacherTemperature() {
        return strategy.#teacherTemperature;
      },
      spare: new SpareTables(),
    };
    return this.#made;
  }

  protected override get takesSparse(): boolean {
    return this.#described.tail !== undefined && !this.needsClasses; // a class may not be among those kept
  }

  protected override validate(batch: DistillationBatch<T, Sparse>): void {
    const { operation, student, labels, rows } = batch;
    if (!this.isSumOverRows) refuseTemperatures(operation, batch.temperatures);
    const { sharesClasses = true, ofSoftmax = true, hard, tail } = this.#described;
    if (sharesClasses) super.validate(batch);
    if (ofSoftmax) {
      refuseProbabilities(operation, 'student', student, rows);
      if (!batch.sparse)
        refuseProbabilities(operation, 'teacher', batch.teacher as typeof student, rows);
    }
    if (labels) {
      const checkRows = hard?.checkLabelRows ?? checkLabelDistributions;
      checkLabels(operation, labels, student.columns, rows, (matrix) =>
        checkRows(operation, matrix, rows),
      );
    }
    if (this.needsClasses) checkClasses(operation, labels, rows);
    if (batch.sparse && tail) checkSparse(batch, batch.sparse, this.#loss);
  }

  protected override explain(batch: DistillationBatch<T, Sparse>): void {
    const { student, labels, rows, alpha } = batch;
    // At alpha = 1 the teacher of a row with a label was not read, unless with the rows of others:
    // it is not to blame.
    const isLabeled = (row: number) => labels !== undefined && hasLabel(labels, row);
    const isTogether = this.#described.joint !== undefined && !rows.every(isLabeled);
    const isHard = (row: number) => alpha === 1 && isLabeled(row) && !isTogether;
    this.#explainSoft({ ...batch, rows: rows.filter((row) => !isHard(row)) });
    const hard = { ...batch, rows: rows.filter(isHard), teacher: student, sparse: undefined };
    checkRuledOut(hard, -Infinity, this.ruledOutBy, labels);
  }

  /** {@link explain} for rows whose teacher was read. */
  #explainSoft(batch: DistillationBatch<T, Sparse>): void {
    if (this.standardizeLogits) checkFinite(batch);
    const { teacher, labels } = batch;
    if (isSparse(teacher)) {
      explainSparse({ ...batch, teacher }, this.#loss, this.ruledOutBy);
    } else {
      checkRuledOut({ ...batch, teacher }, -Infinity, this.ruledOutBy, labels);
    }
  }

  protected override evaluate(
    batch: DistillationBatch<T, Sparse>,
    gradient?: GradientSink<T>,
  ): number {
    return evaluateResponse(this.#loss, batch, gradient);
  }
}

function checkLabelDistributions(
  operation: string,
  labels: Matrix<FloatArray>,
  rows: readonly number[],
): void {
  checkDistributions(operation, 'labels', labels, rows);
}
