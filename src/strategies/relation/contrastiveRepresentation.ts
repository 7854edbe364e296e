import { checkInputs, type DistillationBatch } from '../../call/batch.js';
import { checkMatrixFinite } from '../../call/diagnosis.js';
import type { GradientSink } from '../../call/gradient.js';
import type { HeldMatrix } from '../../call/output.js';
import type { Parameter } from '../../call/parameter.js';
import { gather, overBatch } from '../../call/rows.js';
import { checkDtype, checkRow } from '../../core/checks.js';
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
import { checkProjectionTo, checkVectors, type Embedding, embed } from '../../layers/embedding.js';
import type { LinearProjection } from '../../layers/linearProjection.js';
import {
  type ProjectedDistillationOptions,
  ProjectionStrategyBase,
} from '../../layers/projection.js';

export interface ContrastiveRepresentationDistillationOptions<T extends FloatArray = Float32Array>
  extends ProjectedDistillationOptions<T> {
  /** What is remembered of all samples; both sides are compared at its width. */
  readonly memory: ContrastiveMemory<T>;
  /** Brings the teacher's features to that width, as `projection` does the student's. */
  readonly teacherProjection?: LinearProjection<T> | undefined;
  /** τ, by which similarities are divided, > 0; 0.07. */
  readonly contrastTemperature?: number | undefined;
}

/** The rows kept of a batch, as vectors of length 1. */
interface Units {
  readonly rows: readonly number[];
  readonly student: Grid;
  readonly teacher: Grid;
}

/**
 * Contrastive representation distillation (CRD): tells what is remembered of a sample from what is
 * remembered of others, by noise-contrastive estimation. Mean over rows of the losses of two
 * anchors, the student's row and the teacher's:
 *
 *     loss of an anchor a = −log(x₀ / (x₀ + c + 1e-7)) − Σ over negatives of log(c / (x + c + 1e-7))
 *     x = exp(a · m / τ) / Z,  c = negatives / samples
 *
 * a is the row, or its projection, at length 1; m are entries of a {@link ContrastiveMemory}, of
 * the teacher's for an anchor of the student and the reverse: x₀ is of the own sample, the others
 * are of the negatives that were drawn. Entries are constants. So the anchor of the teacher has no
 * derivative by the student: its loss is what `teacherProjection` learns from, and without one a
 * number that goes along.
 *
 * A step, of features whose samples are known by index:
 *
 *     memory.select(samples)                            says which samples the rows are, and draws their negatives
 *     strategy.calibrate(student, teacher)              before the first loss, once: fixes Z of either side
 *     strategy.computeLossAndGradient(student, teacher)
 *     strategy.remember(student, teacher)               moves the entries of these samples towards the rows
 *
 * - `student`: features, one row a sample, shape [rows, width of the memory] or, with `projection`,
 *   [rows, its inputColumns]; any finite value. `teacher`: the same with `teacherProjection`.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used: the temperature of
 *   similarities is an option of its own, since a hybrid hands that of logits, which is larger by
 *   far, to all.
 *
 * Returns a loss > 0 in nats. The scale of a row does not matter; of a row of zeros the
 * similarities are 0, with gradient 0. The gradient is with respect to the student's features,
 * exact through the projection; both projections get theirs.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (widths, rows that are not those selected), EMPTY (not
 * calibrated), DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE (contrastTemperature).
 *
 * Cost: 2 × (negatives + 1) × width multiplications a row, and as many again for the gradient of
 * either side that learns, in JavaScript. Rows are contrasted each by itself: chunks of a batch add
 * up. The published weight beside a hard loss is 0.8.
 *
 * Tian et al. (2020), "Contrastive Representation Distillation", §3.1, arXiv:1910.10699, as the
 * authors' code has it: with Z, the 1e-7, both anchors, and the memory's entries as positives.
 *
 * @example
 * import {
 *   ContrastiveMemory,
 *   ContrastiveRepresentationDistillationStrategy,
 *   LinearProjection,
 *   Matrix,
 * } from 'knowledge-distillation';
 *
 * const memory = new ContrastiveMemory(100, 4, { negatives: 16 });
 * const projection = new LinearProjection(2, 4);
 * const teacherProjection = new LinearProjection(3, 4, { seed: 1 });
 * const strategy = new ContrastiveRepresentationDistillationStrategy({ memory, projection, teacherProjection });
 * const student = Matrix.fromRows([[0.5, -1], [1, 2]]);
 * const teacher = Matrix.fromRows([[1, 0, 1], [0, 2, 1]]);
 * memory.select([17, 42]);
 * strategy.calibrate(student, teacher);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * strategy.remember(student, teacher);
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

  /** Those of the student's projection, then those of the teacher's; once where it is the same. */
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
   * Fixes Z of either side: with it, x is 1 / samples in the mean over these rows and all that they
   * are contrasted with.
   *
   * @param mask - one entry a row: 0 takes it out
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
      this.#checkMemory(operation);
      const hint = 'use a larger contrastTemperature';
      refuse('OVERFLOW', operation, `log Z of the ${side}`, 'be finite', String(value), { hint });
    }
    this.memory.logNormalizers = logNormalizers;
  }

  /**
   * entry ← momentum · entry + (1 − momentum) · row, at length 1, of the samples that the rows are;
   * of rows of the same sample one after another.
   *
   * @param mask - one entry a row: 0 takes it out
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
    this.#checkMemory(batch.operation);
  }

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const { projection, teacherProjection } = this;
    const logNormalizers = this.memory.logNormalizers!; // validate saw them
    const lossOf = (
      anchors: Embedding,
      logNormalizer: number,
      contrast: Contrast,
      derivative: Float64Array | undefined,
      scale: number,
    ): number => {
      const { length } = anchors.units.data;
      const slope = derivative && new Float64Array(length);
      const loss = noiseContrast(anchors.units, contrast, logNormalizer, slope);
      if (slope) anchors.adjoint(slope, scale, derivative);
      return loss;
    };
    return overBatch(batch, gradient, (student, teacher, derivative, scale) => {
      // The teacher has no use for its own, but its projection has.
      const unused =
        derivative && teacherProjection && new Float64Array(teacher.rows * teacher.columns);
      const own = embed(student, projection);
      const other = embed(teacher, teacherProjection);
      return (
        lossOf(own, logNormalizers.student, this.#contrast('teacher', batch), derivative, scale) +
        lossOf(other, logNormalizers.teacher, this.#contrast('student', batch), unused, scale)
      );
    });
  }

  #checkMemory(operation: string): void {
    for (const side of ['student', 'teacher'] as const) {
      checkMatrixFinite(operation, `the memory's ${side}`, this.memory[side]);
    }
  }

  /** What anchors are contrasted with: entries of that side. */
  #contrast(side: 'student' | 'teacher', of: ContrastRows): Contrast {
    const { memory, contrastTemperature: temperature } = this;
    const { data, rows: samples, columns } = memory[side];
    const { entries, negatives } = memory;
    const bank = grid(data, samples, columns);
    const { rows, rowWeights, rowLosses } = of;
    return { bank, entries, count: negatives + 1, rows, rowWeights, rowLosses, temperature };
  }

  /** The rows kept of a batch that a loss is not asked for. */
  #units(
    operation: string,
    student: Matrix<T>,
    teacher: Matrix<T>,
    mask: ArrayLike<number> | undefined,
  ): Units {
    const unused = { labels: undefined, normalizer: undefined };
    const { rows } = checkInputs({ operation, student, teacher, mask, ...unused }, false);
    this.#check(operation, student, teacher);
    const unitsOf = (
      side: string,
      matrix: Matrix<T>,
      projection: LinearProjection<T> | undefined,
    ): Grid => {
      for (const row of rows) checkRow(operation, side, matrix, row);
      projection?.explain(operation);
      const { units } = embed(gather(matrix, rows), projection);
      if (units.data.every(Number.isFinite)) return units;
      refuse('OVERFLOW', operation, side, 'have rows of finite length', 'longer ones');
    };
    return {
      rows,
      student: unitsOf('student', student, this.projection),
      teacher: unitsOf('teacher', teacher, this.teacherProjection),
    };
  }

  /**
   * Throws unless both sides can be compared with the memory, and the rows are as many as were
   * selected.
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
