import { checkShape, type DistillationBatch } from '../../batch.js';
import { checkInteger, checkNumber, checkOptions } from '../../errors.js';
import type { GradientSink } from '../../gradient.js';
import { attentionMap, attentionMapGradient } from '../../kernels/attentionMap.js';
import { meanSquared } from '../../kernels/distance.js';
import type { FloatArray } from '../../numeric.js';
import { DistillationStrategyBase, type StrategyOptions } from '../../strategy.js';

export interface AttentionTransferDistillationOptions extends StrategyOptions {
  /** Channels of a row, of both sides or of each. */
  readonly channels: number | { readonly student: number; readonly teacher: number };
  /** Exponent of the activations, ≥ 1; 2. */
  readonly power?: number;
}

/**
 * Attention transfer between convolutional feature maps, mean over rows:
 *
 *     f(z) = v / max(‖v‖, 1e-12),  v = mean over channels of |z|^power
 *     loss = mean over positions of (f(student) − f(teacher))²
 *
 * - `student`, `teacher`: activations, one row a sample, laid out [channels][positions] (the CHW of most
 *   frameworks); any finite value. The channels may differ, the positions must be the same.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss in [0, 4 / positions], 0 at student = teacher; it does not change when a row is scaled, above that floor.
 * With power 1 the derivative at an activation of 0 is taken as 0.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (columns no multiple of the channels, other positions), DTYPE_MISMATCH,
 * NOT_FINITE, OUT_OF_RANGE (channels, power).
 *
 * Cost: one pass; beside the gradient, memory for three maps. The published weight beside a hard loss is 1000.
 *
 * Zagoruyko & Komodakis (2017), "Paying More Attention to Attention", §3.1, arXiv:1612.03928. The paper prints a norm
 * of the difference; this is the authors' code: its square, as a mean over positions, with the floor of the norm.
 *
 * @example
 * import { AttentionTransferDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new AttentionTransferDistillationStrategy({ channels: { student: 1, teacher: 2 } });
 * const student = Matrix.fromRows([[0.1, 0.9, 0.4]]);                    // 1 channel  × 3 positions
 * const teacher = Matrix.fromRows([[0.2, 1.0, 0.1, 0.3, 0.8, 0.2]]);     // 2 channels × 3 positions
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 */
export class AttentionTransferDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  readonly channels: { readonly student: number; readonly teacher: number };
  readonly power: number;

  constructor(options: AttentionTransferDistillationOptions) {
    super(options, ['channels', 'power']);
    const { channels, power = 2 } = options ?? {};
    const both = typeof channels === 'number' ? { student: channels, teacher: channels } : channels;
    checkOptions(this.name, 'channels', both, ['student', 'teacher']);
    this.channels = {
      student: checkInteger(this.name, 'channels.student', both.student, 1),
      teacher: checkInteger(this.name, 'channels.teacher', both.teacher, 1),
    };
    const inRange = (value: number) => value >= 1 && value < Infinity;
    this.power = checkNumber(this.name, 'power', power, 'be a finite number ≥ 1', inRange);
  }

  override get name(): string {
    return 'AttentionTransferDistillationStrategy';
  }

  protected override validate({ operation, student, teacher }: DistillationBatch<T>): void {
    const { channels } = this;
    const positions = Math.floor(student.columns / channels.student);
    for (const [side, matrix] of Object.entries({ student, teacher } as const)) {
      const count = side === 'student' ? channels.student : channels.teacher;
      const why = `${count} channels × ${positions} positions`;
      checkShape(operation, side, matrix, matrix.rows, count * positions, why);
    }
  }

  protected override evaluate(
    { student, teacher, rows }: DistillationBatch<T>,
    gradient?: GradientSink<T>,
  ): number {
    const { channels, power } = this;
    const positions = student.columns / channels.student;
    const studentMap = new Float64Array(positions);
    const teacherMap = new Float64Array(positions);
    const mapDerivative = new Float64Array(positions);
    const derivative = new Float64Array(student.columns);
    let sum = 0;
    for (const row of rows) {
      const offset = row * student.columns;
      const norm = attentionMap(student.data, offset, channels.student, power, studentMap);
      attentionMap(teacher.data, row * teacher.columns, channels.teacher, power, teacherMap);
      sum += meanSquared(studentMap, 0, teacherMap, 0, positions, mapDerivative);
      if (!gradient) continue;
      attentionMapGradient(
        student.data,
        offset,
        power,
        studentMap,
        norm,
        mapDerivative,
        derivative,
      );
      gradient.add(row, derivative);
    }
    return sum;
  }
}
