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

/** An entry that came out NaN or larger than the number format can hold. */
interface Overflow {
  readonly value: number;
  readonly row: number;
  readonly column: number;
}

/** Where a strategy puts its gradient: {@link add} adds `scale ×` the derivative of a row to the matrix. */
export class GradientSink<T extends FloatArray = Float32Array> {
  /** d loss / d sum, where sum is what the strategy's `evaluate` returns. */
  readonly scale: number;
  readonly #matrix: Matrix<T>;
  readonly #mode: 'write' | 'rehearse over' | 'rehearse on top';
  readonly #overflows: Overflow[];

  /** @internal `'rehearse …'` writes nothing: it sees whether the sum, with or without what is there, can be held. */
  constructor(
    matrix: Matrix<T>,
    scale: number,
    mode: 'write' | 'rehearse over' | 'rehearse on top' = 'write',
    overflows: Overflow[] = [],
  ) {
    this.#matrix = matrix;
    this.scale = scale;
    this.#mode = mode;
    this.#overflows = overflows;
  }

  /**
   * matrix[row] += scale × derivative
   *
   * @param derivative - d(sum)/d(student) of the row, from `offset` on, one value for each column
   */
  add(row: number, derivative: FloatArray, offset = 0): void {
    const { scale } = this;
    const { data, columns, numeric } = this.#matrix;
    const writes = this.#mode === 'write';
    const onTop = this.#mode !== 'rehearse over';
    const { largest } = numeric;
    const start = row * columns;
    for (let j = 0; j < columns; j++) {
      const value = (onTop ? data[start + j]! : 0) + scale * derivative[offset + j]!;
      if (!(Math.abs(value) <= largest)) this.#overflows.push({ value, row, column: j });
      if (writes) data[start + j] = value;
    }
  }

  /** @internal Throws OVERFLOW where an entry was NaN or too large: once the loss is known to be finite. */
  check(operation: string): void {
    const [first] = this.#overflows;
    if (first === undefined) return;
    const { largest } = this.#matrix.numeric;
    checkRepresentable(operation, 'gradient', first.value, largest, first.row, first.column);
  }

  /** @internal The same sink for a part whose sum counts `factor` times. */
  times(factor: number): GradientSink<T> {
    return new GradientSink(this.#matrix, factor * this.scale, this.#mode, this.#overflows);
  }
}
