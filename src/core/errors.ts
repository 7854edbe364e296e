import type { DistillationErrorCode, ErrorDetails } from './errorDetails.js';
import { describe, show } from './message.js';
import { typeTag } from './numeric.js';
import { nearestName } from './spelling.js';

/**
 * Thrown for a value of the right JavaScript type that cannot be used. A value of the wrong
 * JavaScript type throws a `TypeError` with the same fields and the same message template.
 *
 * @example
 * ```ts
 * import { DistillationError, ResponseDistillationStrategy } from 'knowledge-distillation';
 *
 * try {
 *   new ResponseDistillationStrategy({ temperature: 0 });
 * } catch (error) {
 *   if (!(error instanceof DistillationError)) throw error;
 *   console.log(error.code, error.argument); // OUT_OF_RANGE temperature
 * }
 * ```
 */
export class DistillationError extends RangeError implements ErrorDetails {
  declare readonly code: DistillationErrorCode;
  declare readonly operation: string;
  declare readonly argument: string;
  declare readonly expected: string;
  declare readonly received: string;
  declare readonly row?: number | undefined;
  declare readonly column?: number | undefined;
  declare readonly hint?: string | undefined;

  constructor(details: ErrorDetails, hint: string | undefined = details.hint, sentence?: string) {
    super(describe(details, hint, sentence));
    Object.assign(this, details, hint !== undefined && { hint });
    this.name = 'DistillationError';
  }
}

/** Copies an error with other details, such as the row of the whole batch for a row of a chunk. */
export function reworded(
  error: DistillationError,
  changes: Partial<ErrorDetails>,
): DistillationError {
  return new DistillationError({ ...error, ...changes });
}

/** Optional details of an error: the element at fault, a hint, and a sentence. */
export interface Circumstances {
  readonly row?: number;
  readonly column?: number;
  readonly hint?: string | undefined;
  /** The message, where "argument must …, got …" does not read as English. */
  readonly sentence?: string | undefined;
}

/** Throws the `DistillationError` for these details; `expected` follows the word "must". */
export function refuse(
  code: DistillationErrorCode,
  operation: string,
  argument: string,
  expected: string,
  received: string,
  { hint, sentence, ...place }: Circumstances = {},
): never {
  const details = { code, operation, argument, expected, received, ...place };
  throw new DistillationError(details, hint, sentence);
}

/** Throws for an option that has no effect beside the others, or with the strategy. */
export function refuseMisplaced(
  operation: string,
  option: string,
  owner: string,
  received: string,
  hint?: string,
): never {
  const sentence = `${option} applies to ${owner} only, not to ${received}`;
  refuse('MISPLACED_OPTION', operation, option, `come with ${owner}`, received, { hint, sentence });
}

/** Throws the `TypeError` of the library. `expected` follows the word "must". */
export function throwType(
  operation: string,
  argument: string,
  expected: string,
  received: unknown,
  hint?: string,
): never {
  const details = {
    code: 'WRONG_TYPE',
    operation,
    argument,
    expected,
    received: show(received),
  } as const;
  throw Object.assign(
    new TypeError(describe(details, hint)),
    details,
    hint !== undefined && { hint },
  );
}

/** Throws unless `value` is a number in the range; `expected` follows the word "must". */
export function checkNumber(
  operation: string,
  argument: string,
  value: unknown,
  expected: string,
  inRange: (value: number) => boolean,
  hint?: string,
): number {
  if (typeof value !== 'number') {
    const isNumeral = typeof value === 'string' && value !== '' && inRange(Number(value));
    const conversion = isNumeral ? `use Number(${argument})` : undefined;
    throwType(operation, argument, expected, value, conversion);
  }
  if (!inRange(value)) {
    refuse('OUT_OF_RANGE', operation, argument, expected, String(value), { hint });
  }
  return value;
}

/**
 * Copies a list of numbers; throws for an empty list, and for a number that is out of range.
 *
 * @param expected - the rule for each number; follows the word "must"
 */
export function checkNumbers(
  operation: string,
  argument: string,
  values: ArrayLike<number>,
  expected: string,
  inRange: (value: number) => boolean,
): Float64Array {
  if (typeof values !== 'object' || typeof values?.length !== 'number') {
    throwType(operation, argument, 'be an array of numbers', values);
  }
  const numbers: number[] = [];
  for (let i = 0; i < values.length; i++) {
    numbers.push(checkNumber(operation, `${argument}[${i}]`, values[i], expected, inRange));
  }
  if (numbers.length === 0) refuse('EMPTY', operation, argument, 'hold a number', 'an empty array');
  return Float64Array.from(numbers);
}

export function checkPositive(operation: string, argument: string, value: unknown): number {
  const inRange = (x: number) => x > 0 && x < Infinity;
  return checkNumber(operation, argument, value, 'be a finite number > 0', inRange);
}

export function checkNonNegative(operation: string, argument: string, value: unknown): number {
  const inRange = (x: number) => x >= 0 && x < Infinity;
  return checkNumber(operation, argument, value, 'be a finite number ≥ 0', inRange);
}

export function checkFraction(operation: string, argument: string, value: unknown): number {
  return checkNumber(operation, argument, value, 'be in [0, 1]', (x) => x >= 0 && x <= 1);
}

export function checkIndex(
  operation: string,
  argument: string,
  index: unknown,
  size: number,
): void {
  const inRange = (value: number) => Number.isInteger(value) && value >= 0 && value < size;
  // The message is built only on the throw path: this check runs for every row and element.
  if (typeof index === 'number' && inRange(index)) return;
  checkNumber(operation, argument, index, `be an integer in [0, ${size})`, inRange);
}

export function checkInteger(
  operation: string,
  argument: string,
  value: unknown,
  least: number,
): number {
  const inRange = (x: number) => Number.isSafeInteger(x) && x >= least;
  return checkNumber(operation, argument, value, `be an integer ≥ ${least}`, inRange);
}

export function checkBoolean(operation: string, argument: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throwType(operation, argument, 'be true or false', value);
  return value;
}

export function checkChoice<C extends string>(
  operation: string,
  argument: string,
  value: unknown,
  choices: readonly C[],
): C {
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  const expected = `be one of ${choices.map((name) => `'${name}'`).join(', ')}`;
  if (typeof value !== 'string') throwType(operation, argument, expected, value);
  refuse('OUT_OF_RANGE', operation, argument, expected, show(value));
}

/**
 * Throws unless `value` is an object with known keys, so that a misspelt option does not pass
 * unnoticed.
 *
 * @param known - the keys that are allowed; any key if it is left out
 * @param needed - the keys that the message names if there is no object
 */
export function checkOptions(
  operation: string,
  argument: string,
  value: unknown,
  known?: readonly string[],
  needed: readonly string[] = [],
): void {
  if (typeof value !== 'object' || typeTag(value) !== 'Object') {
    const names = needed.join(', ').replace(/, (\w+)$/, ' and $1');
    throwType(operation, argument, `be an object${names && ` with ${names}`}`, value);
  }
  for (const key of Object.keys(value ?? {})) {
    if (known === undefined || known.includes(key)) continue;
    const names = known.join(', ');
    const nearest = nearestName(known, key);
    const kind = argument.endsWith('options') ? 'options' : 'keys';
    const hint =
      nearest === undefined
        ? `known ${kind}: ${names}`
        : `did you mean "${nearest}"? Known ${kind}: ${names}`;
    refuse('UNKNOWN_OPTION', operation, argument, `have no keys but ${names}`, show(key), { hint });
  }
}

export function throwShape(
  operation: string,
  argument: string,
  received: readonly number[],
  expected: readonly (number | string)[],
  why: string,
  hint?: string,
): never {
  const list = (sizes: readonly (number | string)[]) => `[${sizes.join(', ')}]`;
  const expectation = `${list(expected)} (${why})`;
  refuse('SHAPE_MISMATCH', operation, argument, expectation, list(received), { hint });
}

export function throwOverflow(operation: string, loss: number): never {
  const hint = 'the input is extreme, or the formula divides by 0 or reads past a row';
  refuse('OVERFLOW', operation, 'loss', 'be finite', String(loss), { hint });
}

/** Throws unless the loss that a user's own strategy returned is a finite number. */
export function checkLoss(operation: string, loss: unknown): number {
  if (typeof loss !== 'number') throwType(operation, 'computeLoss', 'return a number', loss);
  if (!Number.isFinite(loss)) throwOverflow(operation, loss);
  return loss;
}
