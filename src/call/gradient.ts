import { checkIndex, refuse } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type { Target } from '../engine/target.js';

/** Throws unless `value` is in ±`largest`, the range of the gradient's number format. */
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

/** State of a gradient that is being computed; the sinks of all parts of a loss share it. */
interface Progress<T extends FloatArray> {
  readonly matrix: Matrix<T>;
  /**
   * Whether unwritten rows hold numbers of an earlier call; otherwise they hold zeros.
   */
  readonly isStale: boolean;
  /**
   * Rows before this one were written or zeroed in this call. The other rows are unwritten.
   */
  next: number;
  /** Every written element is in ±bound, except for the element in `overflow`. */
  bound: number;
  /** Value, row and column of the first element that the number format cannot hold. */
  overflow: readonly [value: number, row: number, column: number] | undefined;
}

/**
 * Collects the gradient of a call. A strategy passes the derivative of each row to {@link add},
 * which adds `scale × derivative` to that row of the gradient.
 */
export class GradientSink<T extends FloatArray = Float32Array> {
  /**
   * d(loss of the call) / d(loss of the strategy). A strategy multiplies the gradients of its own
   * parameters by it.
   */
  readonly scale: number;
  readonly #progress: Progress<T>;

  /**
   * @internal
   * @param matrix - output buffer of the gradient
   * @param isStale - whether the matrix holds numbers of an earlier call, to be overwritten;
   * otherwise it holds zeros
   */
  constructor(matrix: Matrix<T>, isStale: boolean, scale = 1, progress?: Progress<T>) {
    this.scale = scale;
    this.#progress = progress ?? { matrix, isStale, next: 0, bound: 0, overflow: undefined };
  }

  /**
   * Adds `scale × derivative` to one row of the gradient.
   *
   * @param row - a row of the student
   * @param derivative - d(loss)/d(student) of the row, one number for each column, where loss is
   * the number that `evaluate` returns
   * @param offset - index of the first number in `derivative`
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
    let bound = progress.bound;
    for (let j = 0; j < columns; j++) {
      const value = (adds ? data[start + j]! : 0) + scale * derivative[offset + j]!;
      const size = Math.abs(value);
      if (!(size <= largest)) progress.overflow ??= [value, row, j];
      else if (size > bound) bound = size;
      data[start + j] = value;
    }
    progress.bound = bound;
  }

  /**
   * @internal Returns the target of a kernel that writes each of the `rows` kept rows once; the
   * other rows are zeroed here. The kernel has to call {@link settle} afterwards.
   */
  claim(rows: number): Target {
    const progress = this.#progress;
    const { data, rows: all } = progress.matrix;
    const adds = progress.next > 0;
    if (adds || rows < all) this.finish();
    progress.next = all;
    return { data, scale: this.scale, adds };
  }

  /** @internal Records that a kernel has written derivatives within ±bound. */
  settle(bound: number): void {
    const progress = this.#progress;
    const { data, columns, numeric } = progress.matrix;
    progress.bound += Math.abs(this.scale) * bound;
    // Half of the range leaves room for the rounding of each part of the loss.
    if (progress.bound <= numeric.largest / 2 || progress.overflow) return;
    let largest = 0;
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!;
      if (!Number.isFinite(value)) {
        progress.overflow = [value, Math.floor(i / columns), i % columns];
        return;
      }
      largest = Math.max(largest, Math.abs(value));
    }
    progress.bound = largest;
  }

  /** Zeroes the stale rows before `row`, and counts `row` as written. */
  #advance(row: number): void {
    const progress = this.#progress;
    this.#clear(row);
    progress.next = row + 1;
  }

  /** Zeroes the unwritten rows before `end`, if they hold numbers of an earlier call. */
  #clear(end: number): void {
    const { matrix, isStale, next } = this.#progress;
    if (isStale && next < end) matrix.data.fill(0, next * matrix.columns, end * matrix.columns);
  }

  /** @internal Zeroes the rows that no part of the loss has written. */
  finish(): void {
    const progress = this.#progress;
    this.#clear(progress.matrix.rows);
    progress.next = progress.matrix.rows;
  }

  /**
   * @internal Throws OVERFLOW if an element was NaN or too large. Called only for a finite loss: an
   * infinite loss has a better error.
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

  /**
   * @internal Returns a sink on the same matrix for a part of the loss that is multiplied by
   * `factor`.
   */
  times(factor: number): GradientSink<T> {
    const progress = this.#progress;
    return new GradientSink(progress.matrix, false, factor * this.scale, progress);
  }
}
