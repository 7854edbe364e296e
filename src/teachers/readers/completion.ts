import { checkInteger, refuse, throwShape, throwType } from '../../core/errors.js';
import type { Part } from './part.js';

/**
 * The row of the student that predicts the first token of a completion: the last row of the prompt.
 *
 * @param promptLength - the option
 * @param said - where the reply says the number of tokens of the prompt
 */
export function lastPromptRow(promptLength: number | undefined, said: Part): number {
  const { operation } = said;
  if (promptLength !== undefined) {
    return checkInteger(operation, 'promptLength', promptLength, 1) - 1;
  }
  if (said.isMissing) {
    const hint = `pass the number of tokens of the prompt: the reply has no ${said.place}`;
    throwType(operation, 'promptLength', 'be an integer ≥ 1', undefined, hint);
  }
  return said.integer(1) - 1;
}

/** Throws unless all lists have the length of the first one. */
export function checkSameLength(lists: readonly Part[], why: string): void {
  for (const list of lists) list.sized(lists[0]!.list().length, why);
}

/** Throws unless nothing is scored at the first position of a text. */
export function checkFirst({ isMissing, operation, place, value }: Part): void {
  if (!isMissing) throwType(operation, place, 'be null: nothing precedes the first token', value);
}

/**
 * Throws unless `count` tokens are scored at a position: `size`, or one more where the last one is
 * the token that stands there, which is scored even if it is less probable than all others.
 */
export function checkCount(
  { operation, place }: Part,
  count: number,
  size: number,
  isTokenLast: boolean,
): void {
  if (count === size || (count === size + 1 && isTokenLast)) return;
  throwShape(operation, place, [count], [size], 'as many tokens as at other positions');
}

/** Throws for a token that was generated and that the student does not have. */
export function throwUnknownToken(part: Part): never {
  const hint = 'tokenId returned undefined, but the student reads this token';
  refuse('OUT_OF_RANGE', part.operation, part.place, 'be a token of the student', 'none', { hint });
}
