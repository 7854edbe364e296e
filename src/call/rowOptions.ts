// The options of a call that hold a number for each row.

import { refuse, throwShape, throwType } from '../core/errors.js';
import { typeTag } from '../core/numeric.js';

/**
 * Where a loss that is a sum over rows puts the loss of each row: unweighted, and not divided by
 * the normalizer.
 */
export class RowLossSink {
  readonly #losses: Float64Array;
  readonly #scale: number;

  /** @internal */
  constructor(losses: Float64Array, scale = 1) {
    this.#losses = losses;
    this.#scale = scale;
  }

  /** Adds the loss of a row. */
  add(row: number, loss: number): void {
    this.#losses[row]! += this.#scale * loss;
  }

  /** @internal The same sink for a part whose loss counts `factor` times. */
  times(factor: number): RowLossSink {
    return new RowLossSink(this.#losses, factor * this.#scale);
  }
}

/** Hands over the loss of a row, given as a loss that was multiplied by the weight of the row. */
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

/** Throws where a call asks for a number for each row, of a loss that is no sum over rows. */
export function refuseRowOptions(
  operation: string,
  { rowWeights, rowLosses }: { readonly rowWeights?: unknown; readonly rowLosses?: unknown },
): void {
  for (const [argument, value] of Object.entries({ rowWeights, rowLosses })) {
    if (value === undefined) continue;
    const expected = 'come with a loss that is a sum over rows';
    const hint = `leave ${argument} out; to leave rows out, pass a mask`;
    refuse('MISPLACED_OPTION', operation, argument, expected, 'a loss of all rows together', {
      hint,
    });
  }
}

/** Throws where a call gives each row a temperature, which the loss does not take. */
export function refuseTemperatures(operation: string, temperatures: unknown): void {
  if (temperatures === undefined) return;
  const expected = 'come with a response loss that is a sum over rows';
  const hint = 'leave temperatures out';
  refuse('MISPLACED_OPTION', operation, 'temperatures', expected, 'another loss', { hint });
}

/** A number for each row: what is checked, and the rule as a message states it. */
interface RowRule {
  readonly argument: string;
  readonly expected: string;
  readonly inRange: (value: number) => boolean;
}

const WEIGHTS: RowRule = {
  argument: 'rowWeights',
  expected: 'be a finite number',
  inRange: Number.isFinite,
};

const TEMPERATURES: RowRule = {
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
  return readEach(operation, WEIGHTS, weights, rows, kept);
}

/** Copies the temperatures of the kept rows; throws unless each is finite and above 0. */
export function readTemperatures(
  operation: string,
  temperatures: ArrayLike<number>,
  rows: number,
  kept: readonly number[],
): Float64Array {
  return readEach(operation, TEMPERATURES, temperatures, rows, kept);
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
  const read = new Float64Array(rows).fill(1); // rows that are not read may be divided by it
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
