// Options of a call that hold a number for each row.

import { refuse, refuseMisplaced, throwShape, throwType } from '../core/errors.js';
import { typeTag } from '../core/numeric.js';

/**
 * Collects the loss of each row for the option `rowLosses`: without the weight of the row and not
 * divided by the normalizer.
 */
export class RowLossSink {
  readonly #losses: Float64Array;
  readonly #scale: number;

  /** @internal */
  constructor(losses: Float64Array, scale = 1) {
    this.#losses = losses;
    this.#scale = scale;
  }

  /**
   * Adds the loss of a row.
   *
   * @param row - a kept row
   * @param loss - loss of the row, without its weight
   */
  add(row: number, loss: number): void {
    this.#losses[row]! += this.#scale * loss;
  }

  /**
   * @internal Returns a sink on the same array for a part of the loss that is multiplied by
   * `factor`.
   */
  times(factor: number): RowLossSink {
    return new RowLossSink(this.#losses, factor * this.#scale);
  }
}

/** Adds a row's loss to the sink of a call; `weighted` is the loss times the weight of the row. */
export function addRowLoss(
  {
    rowWeights,
    rowLosses,
  }: {
    readonly rowWeights: Float64Array | undefined;
    readonly rowLosses: RowLossSink | undefined;
  },
  row: number,
  weighted: number,
): void {
  rowLosses?.add(row, weighted / (rowWeights?.[row] ?? 1));
}

/** Throws unless the array of the option `rowLosses` has an element for each row. */
export function checkRowLosses(
  operation: string,
  argument: string,
  losses: Float64Array,
  rows: number,
): void {
  if (typeTag(losses) !== 'Float64Array') {
    throwType(operation, argument, 'be a Float64Array', losses);
  }
  if (losses.length === rows) return;
  throwShape(operation, argument, [losses.length], [rows], 'one for each row');
}

/** Throws if a call passes `rowWeights` or `rowLosses` to a loss that is not a sum over rows. */
export function refuseRowOptions(
  operation: string,
  { rowWeights, rowLosses }: { readonly rowWeights?: unknown; readonly rowLosses?: unknown },
): void {
  for (const [argument, value] of Object.entries({ rowWeights, rowLosses })) {
    if (value === undefined) continue;
    const hint = `leave ${argument} out; to leave rows out, pass a mask`;
    const [owner, received] = ['losses that are a sum over rows', 'a loss of all rows together'];
    refuseMisplaced(operation, argument, owner, received, hint);
  }
}

/** Throws if a call passes `temperatures` to a loss that does not take them. */
export function refuseTemperatures(operation: string, temperatures: unknown): void {
  if (temperatures === undefined) return;
  const owner = 'response losses that are a sum over rows';
  refuseMisplaced(operation, 'temperatures', owner, 'other losses', 'leave temperatures out');
}

/** Rule for an option that holds a number for each row; messages state `expected`. */
interface RowRule {
  readonly argument: string;
  readonly expected: string;
  readonly inRange: (value: number) => boolean;
}

const WEIGHT_RULE: RowRule = {
  argument: 'rowWeights',
  expected: 'be a finite number',
  inRange: Number.isFinite,
};

const TEMPERATURE_RULE: RowRule = {
  argument: 'temperatures',
  expected: 'be a finite number > 0',
  inRange: (value) => value > 0 && value < Infinity,
};

/** Copies the weights of the kept rows; throws unless each is a finite number. */
export function readRowWeights(
  operation: string,
  weights: ArrayLike<number>,
  rows: number,
  kept: readonly number[],
): Float64Array {
  return readEach(operation, WEIGHT_RULE, weights, rows, kept);
}

/** Copies the temperatures of the kept rows; throws unless each is finite and above 0. */
export function readTemperatures(
  operation: string,
  temperatures: ArrayLike<number>,
  rows: number,
  kept: readonly number[],
): Float64Array {
  return readEach(operation, TEMPERATURE_RULE, temperatures, rows, kept);
}

function readEach(
  operation: string,
  { argument, expected, inRange }: RowRule,
  values: ArrayLike<number>,
  rows: number,
  kept: readonly number[],
): Float64Array {
  const isList = typeof values === 'object' && typeof values?.length === 'number';
  if (!isList) throwType(operation, argument, 'hold a number for each row', values);
  if (values.length !== rows) {
    throwShape(operation, argument, [values.length], [rows], 'one for each row');
  }
  const read = new Float64Array(rows).fill(1); // not 0: a kernel may divide by an excluded row's
  for (const row of kept) {
    const value: unknown = values[row];
    if (typeof value !== 'number') throwType(operation, `${argument}[${row}]`, expected, value);
    if (!inRange(value)) {
      refuse('OUT_OF_RANGE', operation, argument, expected, String(value), { row });
    }
    read[row] = value;
  }
  return read;
}
