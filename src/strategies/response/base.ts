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
  /**
   * Multiplies the soft loss by T², which keeps its gradient at the scale of the hard loss.
   * @defaultValue true
   */
  readonly temperatureSquared?: boolean | undefined;
  /**
   * Replaces each row of logits by (z − mean) / (standard deviation + 1e-7), on both sides and
   * before the temperature. The student then matches the teacher's relations, and not its range
   * ([Sun et al. 2024](https://arxiv.org/abs/2403.01427), §3.3). No class can then be ruled out. At
   * a row of equal logits the derivative is 1e7 times the derivative at a deviation of 1.
   * @defaultValue false
   */
  readonly standardizeLogits?: boolean | undefined;
  /**
   * The temperature of the teacher, finite and > 0; by default the temperature of the student. DINO
   * has 0.04 for the teacher and 0.1 for the student. The factor T² has the student's temperature.
   * With this option, the loss is in general not least at student = teacher.
   */
  readonly teacherTemperature?: number | undefined;
}

/**
 * Base class of the response losses; a strategy implements {@link softLoss}, the loss of one
 * softened row.
 *
 * ```math
 * L = α CE(s, y) + (1 − α) T² softLoss(s / T, t / T)
 * ```
 *
 * s and t are rows of student and teacher, y is the label, and the loss of a batch is the mean over
 * rows. An unlabelled row has the soft loss alone, with weight 1. The cross-entropy is at
 * temperature 1. The base class handles labels, temperatures, standardized logits, masks and the
 * mean, and the derivative through all of them.
 */
export abstract class ResponseDistillationStrategyBase<
  T extends FloatArray = Float32Array,
  Sparse extends SparseTargets<T> = never,
> extends DistillationStrategyBase<T, Sparse> {
  readonly temperatureSquared: boolean;
  readonly standardizeLogits: boolean;
  #teacherTemperature: number | undefined;
  #made: ResponseLoss | undefined;

  /**
   * @param options - the options of the strategy
   * @param own - names of the options that the strategy adds
   */
  constructor(options: ResponseOptions = {}, own: readonly string[] = []) {
    super(options, ['temperatureSquared', 'standardizeLogits', 'teacherTemperature', ...own]);
    const { temperatureSquared = true, standardizeLogits = false, teacherTemperature } = options;
    this.temperatureSquared = checkBoolean(this.name, 'temperatureSquared', temperatureSquared);
    this.standardizeLogits = checkBoolean(this.name, 'standardizeLogits', standardizeLogits);
    if (teacherTemperature !== undefined) this.teacherTemperature = teacherTemperature;
  }

  /** The temperature of the teacher; `undefined` if it is the temperature of the student. */
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
   * Returns the function that evaluates the soft loss of a row in JavaScript. It is called once for
   * a batch, so the function may own scratch buffers.
   *
   * @param columns - number of logits in a row of the student
   * @param terms - number of leading columns that enter the loss; smaller than `columns` only with
   *   `tail: 'drop'`
   */
  protected abstract softLoss(columns: number, terms: number): SoftLoss;

  /** True if every row needs a class as its label. False by default. */
  protected get needsClasses(): boolean {
    return false;
  }

  /**
   * The side that must not rule a class out alone, since the loss would be infinite. The student by
   * default.
   */
  protected get ruledOutBy(): RuledOutBy {
    return RULED_OUT_BY;
  }

  /** @internal The other properties of the loss; called once. */
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
    // The class of a row may not be among the kept classes.
    return this.#described.tail !== undefined && !this.needsClasses;
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
    // At alpha = 1 the teacher of a labelled row was not read, unless a joint loss read all rows.
    // A teacher that was not read cannot be the cause.
    const isLabeled = (row: number) => labels !== undefined && hasLabel(labels, row);
    const isJoint = this.#described.joint !== undefined && !rows.every(isLabeled);
    const isHard = (row: number) => alpha === 1 && isLabeled(row) && !isJoint;
    this.#explainSoft({ ...batch, rows: rows.filter((row) => !isHard(row)) });
    const hard = { ...batch, rows: rows.filter(isHard), teacher: student, sparse: undefined };
    checkRuledOut(hard, -Infinity, this.ruledOutBy, labels);
  }

  /** Explains rows whose teacher was read. */
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
