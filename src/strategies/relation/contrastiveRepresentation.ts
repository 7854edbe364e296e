import { checkInputs, type DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { HeldMatrix } from '../../call/output.js';
import type { Parameter } from '../../call/parameter.js';
import { overBatch } from '../../call/rows.js';
import { checkDtype, checkTeacherRows } from '../../core/checks.js';
import { checkPositive, refuse, throwShape, throwType } from '../../core/errors.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import {
  type Contrast,
  type ContrastRows,
  logNormalizer,
  noiseContrast,
} from '../../kernels/pairs/contrastiveRepresentation.js';
import { type Grid, grid } from '../../kernels/products/grid.js';
import type { ContrastiveMemory } from '../../layers/contrastiveMemory.js';
import { checkProjectionTo, checkVectors, embed, embedRows } from '../../layers/embedding.js';
import type { LinearProjection } from '../../layers/linearProjection.js';
import {
  type ProjectedDistillationOptions,
  ProjectionStrategyBase,
} from '../../layers/projection.js';

/** Options of {@link ContrastiveRepresentationDistillationStrategy}. */
export interface ContrastiveRepresentationDistillationOptions<T extends FloatArray = Float32Array>
  extends ProjectedDistillationOptions<T> {
  /** The remembered vectors of all samples. Both sides are compared at the memory's width. */
  readonly memory: ContrastiveMemory<T>;
  /** Maps the teacher's features to the memory's width, as `projection` maps the student's. */
  readonly teacherProjection?: LinearProjection<T> | undefined;
  /**
   * Temperature τ that divides the similarities, > 0.
   *
   * @defaultValue 0.07
   */
  readonly contrastTemperature?: number | undefined;
}

/** The kept rows of a batch, scaled to length 1. */
interface Units {
  readonly rows: readonly number[];
  readonly student: Grid;
  readonly teacher: Grid;
}

/**
 * Matches each sample to its remembered vectors among those of other samples, by noise-contrastive
 * estimation.
 *
 * ```math
 * L = ℓ(s) + ℓ(t)
 * ℓ(a) = −log(x_0 / (x_0 + c + 10^(−7))) − Σ_(j ≥ 1) log(c / (x_j + c + 10^(−7)))
 * x_j = e^(a · m_j / τ) / Z
 * c = K / N
 * ```
 *
 * Use it for batches of any size, if each sample has an index in the data set.
 *
 * Avoid it for samples without an index.
 *
 * The anchor a is a row, or its projection, scaled to length 1: s of the student, t of the teacher.
 * K is the number of negatives, N the number of samples in the {@link ContrastiveMemory}. The m_j
 * are the memory's vectors of the other side. m_0 belongs to the anchor's own sample, the others to
 * the negatives that were drawn. The loss of a call is the mean over the kept rows.
 *
 * The vectors of the memory are constants. So ℓ(t) has no derivative with respect to the student:
 * `teacherProjection` learns from it, and without a teacher projection it only adds to the value.
 *
 * One step of training:
 * 1. `memory.select(samples)` says which samples the rows are, and draws their negatives.
 * 2. `strategy.calibrate(student, teacher)`, once before the first loss, fixes Z of each side.
 * 3. `strategy.computeLossAndGradient(student, teacher)`
 * 4. `strategy.remember(student, teacher)` moves the vectors of these samples towards the rows.
 *
 * - `student`: features, one row for each sample, shape [rows, width of the memory], or [rows,
 *   inputColumns] with `projection`, any finite value.
 * - `teacher`: the same, with `teacherProjection`.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect. The temperature of similarities is an option of its own, because a hybrid passes the
 *   temperature of logits, which is far larger, to all its entries.
 *
 * Returns a loss > 0 in nats. The scale of a row does not matter. The similarities of a row of
 * zeros are 0, with gradient 0. The gradient is with respect to the student's features and exact
 * through the projection; the parameters of both projections get their own gradients. Each row is
 * contrasted by itself: chunks of a batch add up. Cost: 2 × (negatives + 1) × width multiplications
 * for each row, and the same again for the gradient of each side that learns, in JavaScript. The
 * published weight beside a hard loss is 0.8.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for widths, and for rows that are not the selected
 *   ones; `EMPTY` before `calibrate`; `DTYPE_MISMATCH`, `NOT_FINITE`; `OUT_OF_RANGE` for
 *   `contrastTemperature`
 * @see [Tian et al. 2020](https://arxiv.org/abs/1910.10699), §3.1. "Contrastive Representation
 *   Distillation". As in the authors' code: with Z, the 1e-7, both anchors, and vectors of the
 *   memory as positives.
 * @reproduces mdistiller: with projections that have biases
 * @reproduces RepDistiller: with projections that have biases
 * @reproduces torchdistill: with projections that have biases
 *
 * @example
 * ```ts
 * import {
 *   ContrastiveMemory,
 *   ContrastiveRepresentationDistillationStrategy,
 *   LinearProjection,
 *   Matrix,
 * } from 'knowledge-distillation';
 *
 * const memory = new ContrastiveMemory(100, 4, { negatives: 16 }); // 100 samples, width 4
 * const strategy = new ContrastiveRepresentationDistillationStrategy({
 *   memory,
 *   projection: new LinearProjection(2, 4),
 *   teacherProjection: new LinearProjection(3, 4, { seed: 1 }),
 * });
 * const student = Matrix.fromRows([[0.5, -1], [1, 2]]);
 * const teacher = Matrix.fromRows([[1, 0, 1], [0, 2, 1]]);
 * memory.select([17, 42]);
 * strategy.calibrate(student, teacher);
 * console.log(strategy.computeLossAndGradient(student, teacher).loss.toFixed(4)); // 33.0530
 * strategy.remember(student, teacher);
 * console.log(strategy.computeLoss(student, teacher).toFixed(4)); // 28.6587
 * ```
 */
export class ContrastiveRepresentationDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends ProjectionStrategyBase<T> {
  readonly memory: ContrastiveMemory<T>;
  readonly teacherProjection: LinearProjection<T> | undefined;
  readonly contrastTemperature: number;

  constructor(options: ContrastiveRepresentationDistillationOptions<T>) {
    super(options, ['memory', 'teacherProjection', 'contrastTemperature']);
    const { memory, projection, teacherProjection, contrastTemperature = 0.07 } = options ?? {};
    if (typeof memory?.select !== 'function') {
      throwType(this.name, 'memory', 'be a ContrastiveMemory', memory);
    }
    for (const [argument, each] of Object.entries({ projection, teacherProjection })) {
      if (each !== undefined) checkProjectionTo(this.name, argument, each, memory.student);
    }
    this.memory = memory;
    this.teacherProjection = teacherProjection;
    this.contrastTemperature = checkPositive(this.name, 'contrastTemperature', contrastTemperature);
  }

  override get name(): string {
    return 'ContrastiveRepresentationDistillationStrategy';
  }

  override get isSumOverRows(): boolean {
    return true;
  }

  /** Returns the parameters of both projections, each once, the student's first. */
  override parameters(): readonly Parameter<T>[] {
    const all = [...super.parameters(), ...(this.teacherProjection?.parameters() ?? [])];
    return [...new Set(all)];
  }

  /** @internal */
  override heldMatrices(): readonly HeldMatrix<T>[] {
    const { student, teacher } = this.memory;
    return [
      { name: "the memory's student", value: student },
      { name: "the memory's teacher", value: teacher },
    ];
  }

  /**
   * Fixes the normalizer Z of each side, so that the mean of x over the kept rows and all vectors
   * that they are contrasted with is 1 / samples.
   *
   * @param student - features as for a loss, shape [rows, columns]
   * @param teacher - features as for a loss, the same number of rows
   * @param mask - one number for each row; 0 excludes the row
   * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE`; `EMPTY` if no row
   *   is kept; `OVERFLOW` if log Z is not finite
   */
  calibrate(student: Matrix<T>, teacher: Matrix<T>, mask?: ArrayLike<number>): void {
    const operation = `${this.name}.calibrate`;
    const units = this.#units(operation, student, teacher, mask);
    if (units.rows.length === 0) refuse('EMPTY', operation, 'mask', 'leave a row', 'none');
    const logNormalizers = {
      student: logNormalizer(units.student, this.#contrast('teacher', units)),
      teacher: logNormalizer(units.teacher, this.#contrast('student', units)),
    };
    for (const [side, value] of Object.entries(logNormalizers)) {
      if (Number.isFinite(value)) continue;
      this.memory.explain(operation);
      const hint = 'use a larger contrastTemperature';
      refuse('OVERFLOW', operation, `log Z of the ${side}`, 'be finite', String(value), { hint });
    }
    this.memory.logNormalizers = logNormalizers;
  }

  /**
   * Replaces the vector of each kept row's sample by momentum · vector + (1 − momentum) · row, at
   * length 1. The row, or its projection, has length 1 too. Rows of the same sample are blended one
   * after another.
   *
   * @param student - features as for a loss, shape [rows, columns]
   * @param teacher - features as for a loss, the same number of rows
   * @param mask - one number for each row; 0 excludes the row
   * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE`; `OVERFLOW`
   */
  remember(student: Matrix<T>, teacher: Matrix<T>, mask?: ArrayLike<number>): void {
    const units = this.#units(`${this.name}.remember`, student, teacher, mask);
    this.memory.blend('student', units.student, units.rows);
    this.memory.blend('teacher', units.teacher, units.rows);
  }

  protected override validate({ operation, student, teacher }: DistillationBatch<T>): void {
    this.#check(operation, student, teacher);
    if (this.memory.logNormalizers) return;
    const hint = 'call calibrate with the first batch';
    refuse('EMPTY', operation, 'memory', 'be calibrated', 'no Z', { hint });
  }

  protected override explain(batch: DistillationBatch<T>): void {
    super.explain(batch);
    this.teacherProjection?.explain(batch.operation);
    this.memory.explain(batch.operation);
  }

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    return overBatch(batch, gradient, (student, teacher, derivative, scale) => {
      // The teacher's derivative is computed only on the way to the gradient of its projection.
      const teacherDerivative =
        derivative && this.teacherProjection && new Float64Array(teacher.rows * teacher.columns);
      return (
        this.#lossOf('student', student, batch, derivative, scale) +
        this.#lossOf('teacher', teacher, batch, teacherDerivative, scale)
      );
    });
  }

  /** Returns the sum of the losses of one side's anchors, and writes its derivative. */
  #lossOf(
    side: 'student' | 'teacher',
    features: Grid,
    batch: ContrastRows,
    derivative: Float64Array | undefined,
    scale: number,
  ): number {
    const isStudent = side === 'student';
    const { units, adjoint } = embed(
      features,
      isStudent ? this.projection : this.teacherProjection,
    );
    const contrast = this.#contrast(isStudent ? 'teacher' : 'student', batch);
    const logNormalizer = this.memory.logNormalizers![side]; // validate has checked it
    const slope = derivative && new Float64Array(units.data.length);
    const loss = noiseContrast(units, contrast, logNormalizer, slope);
    if (derivative && slope) adjoint(slope, scale, derivative);
    return loss;
  }

  /** Returns what the anchors are contrasted with: the vectors of one side of the memory. */
  #contrast(side: 'student' | 'teacher', batch: ContrastRows): Contrast {
    const { memory, contrastTemperature: temperature } = this;
    const { data, rows: samples, columns } = memory[side];
    const { entries, negatives } = memory;
    const bank = grid(data, samples, columns);
    const { rows, rowWeights, rowLosses } = batch;
    return { bank, entries, count: negatives + 1, rows, rowWeights, rowLosses, temperature };
  }

  /** Checks a batch outside a loss, and scales its kept rows to length 1. */
  #units(
    operation: string,
    student: Matrix<T>,
    teacher: Matrix<T>,
    mask: ArrayLike<number> | undefined,
  ): Units {
    const unused = { labels: undefined, normalizer: undefined };
    const { rows } = checkInputs({ operation, student, teacher, mask, ...unused }, false);
    this.#check(operation, student, teacher);
    checkTeacherRows(operation, student, teacher);
    return {
      rows,
      student: embedRows(operation, 'student', student, rows, this.projection),
      teacher: embedRows(operation, 'teacher', teacher, rows, this.teacherProjection),
    };
  }

  /**
   * Throws unless both sides can be compared with the memory, and the batch has as many rows as
   * were selected.
   */
  #check(operation: string, student: Matrix<T>, teacher: Matrix<T>): void {
    const { memory, projection, teacherProjection } = this;
    const { columns } = memory.student;
    checkDtype(operation, 'student', student, memory.student);
    checkVectors(operation, 'student', student, projection, columns);
    checkVectors(operation, 'teacher', teacher, teacherProjection, columns);
    const selected = memory.entries.length / (memory.negatives + 1);
    if (selected === student.rows) return;
    const hint = 'call memory.select with the samples of the batch';
    throwShape(operation, 'memory.entries', [selected], [student.rows], 'one for each row', hint);
  }
}
