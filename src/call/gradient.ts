import { checkIndex, refuse } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type { Target } from '../engine/target.js';
import { isWithin } from '../kernels/rows/within.js';

/** How much below the largest number of a format a sum of parts is kept. */
const MARGIN = 1024;

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

/** What a matrix holds as its gradient comes in: zeros, numbers to add to, or what is to be overwritten. */
export type Content = 'zeros' | 'numbers' | 'stale';

/** What a sink and those of its parts have in common. */
interface Shared {
  /** Rows before this one hold numbers that count; those from it on, what the matrix held as it came in. */
  next: number;
  /** Value, row and column of the first entry that came out NaN or too large (or nearly). */
  readonly overflow: number[];
}

/** Where a strategy puts its gradient: {@link add} adds `scale ×` the derivative of a row to the matrix. */
export class GradientSink<T extends FloatArray = Float32Array> {
  /** d loss / d sum, where sum is what the strategy's `evaluate` returns. */
  readonly scale: number;
  readonly #matrix: Matrix<T>;
  readonly #writes: boolean;
  readonly #content: Content;
  readonly #shared: Shared;

  /**
   * @internal
   * @param writes - or else the sink only sees whether the format can hold what would be written
   * @param content - what is in the matrix as it comes in
   */
  constructor(
    matrix: Matrix<T>,
    scale: number,
    writes = true,
    content: Content = 'numbers',
    shared: Shared = { next: content === 'numbers' ? matrix.rows : 0, overflow: [] },
  ) {
    this.#matrix = matrix;
    this.scale = scale;
    this.#writes = writes;
    this.#content = content;
    this.#shared = shared;
  }

  /**
   * matrix[row] += scale × derivative
   *
   * @param derivative - d(sum)/d(student) of the row, from `offset` on, one value for each column
   * @throws {DistillationError} OUT_OF_RANGE for a row that the matrix does not have
   */
  add(row: number, derivative: FloatArray, offset = 0): void {
    checkIndex('GradientSink.add', 'row', row, this.#matrix.rows);
    this.#add(row, derivative, offset, this.scale);
  }

  /**
   * @internal matrix[row] += values: those of a derivative times {@link scale}, none of which is beyond ±bound. Where
   * the row holds nothing yet, they are copied.
   */
  put(row: number, values: FloatArray, bound: number): void {
    const { data, columns } = this.#matrix;
    if (row < this.#shared.next || !(bound <= this.#limit)) this.#add(row, values, 0, 1);
    else if (this.#writes) {
      this.#enter(row);
      data.set(values, row * columns);
    }
  }

  #add(row: number, values: FloatArray, offset: number, scale: number): void {
    const { data, columns } = this.#matrix;
    const { overflow } = this.#shared;
    const counts = this.#enter(row);
    const bound = this.#limit;
    const writes = this.#writes;
    const start = row * columns;
    for (let j = 0; j < columns; j++) {
      const value = (counts ? data[start + j]! : 0) + scale * values[offset + j]!;
      if (!(Math.abs(value) <= bound) && overflow.length === 0) overflow.push(value, row, j);
      if (writes) data[start + j] = value;
    }
  }

  /** What no entry may exceed. */
  get #limit(): number {
    // In a rehearsal several parts that fit one by one might not fit together: the sum itself has to be tried.
    const { largest } = this.#matrix.numeric;
    return this.#writes ? largest : largest / MARGIN;
  }

  /** Whether the row holds numbers that count; if not, it does from now on, as do those before it. */
  #enter(row: number): boolean {
    if (row < this.#shared.next) return true;
    if (this.#writes) {
      this.#clear(row);
      this.#shared.next = row + 1;
    }
    return false;
  }

  /** Leaves no number that is stale before this row. */
  #clear(row: number): void {
    const { data, columns } = this.#matrix;
    if (this.#content === 'stale') data.fill(0, this.#shared.next * columns, row * columns);
  }

  /**
   * @internal For kernels that put each of so many rows once, with no entry of a derivative beyond ±bound: where to.
   * `'nowhere'` where all is known to fit and nothing is to be written, `undefined` where nothing is known: then
   * {@link add} has to see every entry.
   */
  claim(rows: number, bound: number): Target | 'nowhere' | undefined {
    const { data, numeric } = this.#matrix;
    const { scale } = this;
    const limit = numeric.largest / MARGIN;
    const adds = this.#shared.next > 0;
    if (!(Math.abs(scale) * bound <= limit)) return undefined;
    if (this.#writes && (adds || rows < this.#matrix.rows)) this.finish();
    if (adds && !isWithin(data, limit)) return undefined;
    if (!this.#writes) return 'nowhere';
    this.#shared.next = this.#matrix.rows;
    return { data, scale, adds };
  }

  /** @internal Leaves no entry that is stale. */
  finish(): void {
    const { rows } = this.#matrix;
    this.#clear(rows);
    this.#shared.next = Math.max(this.#shared.next, rows);
  }

  /** @internal Throws OVERFLOW where an entry was NaN or too large: once the loss is known to be finite. */
  check(operation: string): void {
    const [value = 0, row = 0, column = 0] = this.#shared.overflow;
    const { largest } = this.#matrix.numeric;
    checkRepresentable(operation, 'gradient', value, largest, row, column);
  }

  /** @internal Whether an entry came near to what the format can hold. */
  get isExtreme(): boolean {
    return this.#shared.overflow.length > 0;
  }

  /** @internal The same sink for a part whose sum counts `factor` times. */
  times(factor: number): GradientSink<T> {
    const scale = factor * this.scale;
    return new GradientSink(this.#matrix, scale, this.#writes, this.#content, this.#shared);
  }
}
