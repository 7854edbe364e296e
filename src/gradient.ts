import { refuse } from './errors.js';
import type { Matrix } from './matrix.js';
import type { FloatArray } from './numeric.js';

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

/** Where a strategy puts its gradient: {@link add} adds `scale ×` the derivative of a row to the matrix. */
export class GradientSink<T extends FloatArray = Float32Array> {
  /** d loss / d sum, where sum is what the strategy's `evaluate` returns. */
  readonly scale: number;
  readonly #matrix: Matrix<T>;
  readonly #writes: boolean;
  readonly #onTop: boolean;
  /** Value, row and column of the first entry that came out NaN or too large (or nearly); shared with the parts. */
  readonly #overflow: number[];

  /**
   * @internal
   * @param writes - or else the sink only sees whether the format can hold what would be written
   * @param onTop - whether what is in the matrix counts
   */
  constructor(
    matrix: Matrix<T>,
    scale: number,
    writes = true,
    onTop = true,
    overflow: number[] = [],
  ) {
    this.#matrix = matrix;
    this.scale = scale;
    this.#writes = writes;
    this.#onTop = onTop;
    this.#overflow = overflow;
  }

  /**
   * matrix[row] += scale × derivative
   *
   * @param derivative - d(sum)/d(student) of the row, from `offset` on, one value for each column
   */
  add(row: number, derivative: FloatArray, offset = 0): void {
    const { scale } = this;
    const { data, columns, numeric } = this.#matrix;
    const [writes, onTop, overflow] = [this.#writes, this.#onTop, this.#overflow];
    // In a rehearsal several parts that fit one by one might not fit together: the sum itself has to be tried.
    const bound = writes ? numeric.largest : numeric.largest / 1024;
    const start = row * columns;
    for (let j = 0; j < columns; j++) {
      const value = (onTop ? data[start + j]! : 0) + scale * derivative[offset + j]!;
      if (!(Math.abs(value) <= bound) && overflow.length === 0) overflow.push(value, row, j);
      if (writes) data[start + j] = value;
    }
  }

  /** @internal Throws OVERFLOW where an entry was NaN or too large: once the loss is known to be finite. */
  check(operation: string): void {
    const [value = 0, row = 0, column = 0] = this.#overflow;
    const { largest } = this.#matrix.numeric;
    checkRepresentable(operation, 'gradient', value, largest, row, column);
  }

  /** @internal Whether an entry came near to what the format can hold. */
  get isExtreme(): boolean {
    return this.#overflow.length > 0;
  }

  /** @internal The same sink for a part whose sum counts `factor` times. */
  times(factor: number): GradientSink<T> {
    const scale = factor * this.scale;
    return new GradientSink(this.#matrix, scale, this.#writes, this.#onTop, this.#overflow);
  }
}
