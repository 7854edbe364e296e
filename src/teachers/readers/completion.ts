import { checkInteger, refuse, throwShape, throwType } from '../../core/errors.js';
import type { ReplyNode } from './replyNode.js';

/**
 * Returns the row of the student that predicts the first token of a completion: the last row of
 * the prompt.
 *
 * @param promptLength - the option of the caller
 * @param reported - the field of the reply that holds the number of prompt tokens
 */
export function lastPromptRow(promptLength: number | undefined, reported: ReplyNode): number {
  const { operation } = reported;
  if (promptLength !== undefined) {
    return checkInteger(operation, 'promptLength', promptLength, 1) - 1;
  }
  if (reported.isMissing) {
    const hint = `pass the number of tokens of the prompt: the reply has no ${reported.place}`;
    throwType(operation, 'promptLength', 'be an integer ≥ 1', undefined, hint);
  }
  return reported.integer(1) - 1;
}

/** Throws unless all lists have the length of the first one. */
export function checkSameLength(lists: readonly ReplyNode[], why: string): void {
  for (const list of lists) list.sized(lists[0]!.list().length, why);
}

/** Throws unless the first position of a text is not scored. */
export function checkFirst({ isMissing, operation, place, value }: ReplyNode): void {
  if (!isMissing) throwType(operation, place, 'be null: nothing precedes the first token', value);
}

/**
 * Throws unless a position scores `size` tokens, or `size + 1` tokens of which the last is the
 * token that stands there. Servers score that token even if it is not among the most probable ones.
 *
 * @param count - number of scored tokens
 * @param isTokenLast - whether the last scored token is the token that stands there
 */
export function checkCount(
  { operation, place }: ReplyNode,
  count: number,
  size: number,
  isTokenLast: boolean,
): void {
  if (count === size || (count === size + 1 && isTokenLast)) return;
  throwShape(operation, place, [count], [size], 'as many tokens as at other positions');
}

/** Throws for a generated token that is not in the student's vocabulary. */
export function throwUnknownToken(node: ReplyNode): never {
  const hint = 'tokenId returned undefined, but the student reads this token';
  refuse('OUT_OF_RANGE', node.operation, node.place, 'be a token of the student', 'none', { hint });
}
