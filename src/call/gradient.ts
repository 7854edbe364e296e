import { checkIndex, refuse } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type { Target } from '../engine/target.js';

/** Throws unless the number format of a gradient can hold one of its values. */
export function checkRepresentable(
  operation: string,
  argument: string,
  value: number,
  largest: number,
  row: number,
  column: number,
): void {
  if (Math.abs(value) <= largest) return;
  refuse('OVERFLOW', operation, argument, `be within ±${largest}`, String(value), { row, column });
}

/** The state of a matrix under way, shared by the sinks of all parts of a loss. */
interface Progress<T extends FloatArray> {
  readonly matrix: Matrix<T>;
  /**
   * Whether rows that no sink has written hold numbers of an earlier call; if not, they hold zeros.
   */
  readonly isStale: boolean;
  /**
   * Rows before this one count: they were written, or zeroed. Rows from it on are as the matrix
   * came in.
   */
  next: number;
  /** No entry that was written is beyond ±bound, except for the one in `overflow`. */
  bound: number;
  /** Value, row and column of the first entry that the format cannot hold. */
  overflow: readonly [value: number, row: number, column: number] | undefined;
}

/**
 * Where a strategy puts its gradient: {@link add} adds `scale ×` the derivative of a row to the
 * matrix.
 */
export class GradientSink<T extends FloatArray = Float32Array> {
  /**
   * d(loss of the call) / d(loss of the strategy); also for the gradients of a strategy's own
   * parameters.
   */
  readonly scale: number;
  readonly #progress: Progress<T>;

  /**
   * @internal
   * @param matrix - where the gradient goes
   * @param isStale - whether it holds numbers of an earlier call, which are overwritten, and not
   * zeros
   */
  constructor(matrix: Matrix<T>, isStale: boolean, scale = 1, progress?: Progress<T>) {
    this.scale = scale;
    this.#progress = progress ?? { matrix, isStale, next: 0, bound: 0, overflow: undefined };
  }

  /**
   * matrix[row] += scale × derivative
   *
   * @param derivative - d(loss)/d(student) of the row, from `offset` on, one value for each column;
   * loss is what the strategy's `evaluate` returns
   * @throws {DistillationError} OUT_OF_RANGE for a row that the matrix does not have
   */
  add(row: number, derivative: FloatArray, offset = 0): void {
    const progress = this.#progress;
    const { data, rows, columns, numeric } = progress.matrix;
    checkIndex('GradientSink.add', 'row', row, rows);
    const adds = row < progress.next;
    if (!adds) this.#advance(row);
    const { scale } = this;
    const { largest } = numeric;
    const start = row * columns;
    let most = progress.bound;
    for (let j = 0; j < columns; j++) {
      const value = (adds ? data[start + j]! : 0) + scale * derivative[offset + j]!;
      const size = Math.abs(value);
      if (!(size <= largest)) progress.overflow ??= [value, row, j];
      else if (size > most) most = size;
      data[start + j] = value;
    }
    progress.bound = most;
  }

  /**
   * @internal For a kernel that writes each of the `rows` kept rows once: where to. Rows that are
   * not kept are zero. The kernel has to call {@link settle} after it.
   */
  claim(rows: number): Target {
    const progress = this.#progress;
    const { data, rows: all } = progress.matrix;
    const adds = progress.next > 0;
    if (adds || rows < all) this.finish();
    progress.next = all;
    return { data, scale: this.scale, adds };
  }

  /** @internal Called once a kernel has written derivatives of which no entry is beyond ±bound. */
  settle(bound: number): void {
    const progress = this.#progress;
    const { data, columns, numeric } = progress.matrix;
    progress.bound += Math.abs(this.scale) * bound;
    // Half, since each of the parts was rounded.
    if (progress.bound <= numeric.largest / 2 || progress.overflow) return;
    let most = 0;
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!;
      if (!Number.isFinite(value)) {
        progress.overflow = [value, Math.floor(i / columns), i % columns];
        return;
      }
      most = Math.max(most, Math.abs(value));
    }
    progress.bound = most;
  }

  /** Zeroes the stale rows before this one, which counts from now on. */
  #advance(row: number): void {
    const progress = this.#progress;
    this.#clear(row);
    progress.next = row + 1;
  }

  #clear(end: number): void {
    const { matrix, isStale, next } = this.#progress;
    if (isStale && next < end) matrix.data.fill(0, next * matrix.columns, end * matrix.columns);
  }

  /** @internal Zeroes rows that are still stale. */
  finish(): void {
    const progress = this.#progress;
    this.#clear(progress.matrix.rows);
    progress.next = progress.matrix.rows;
  }

  /**
   * @internal Throws OVERFLOW where an entry was NaN or too large: once the loss is known to be
   * finite.
   */
  check(operation: string, argument = 'gradient'): void {
    const { matrix, overflow } = this.#progress;
    if (overflow)
      checkRepresentable(
        operation,
        argument,
        overflow[0],
        matrix.numeric.largest,
        overflow[1],
        overflow[2],
      );
  }

  /** @internal The same sink for a part whose loss counts `factor` times. */
  times(factor: number): GradientSink<T> {
    const progress = this.#progress;
    return new GradientSink(progress.matrix, false, factor * this.scale, progress);
  }
}
