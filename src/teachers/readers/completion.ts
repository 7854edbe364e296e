import { checkInteger, refuse, throwShape, throwType } from '../../core/errors.js';
import type { SparseRow } from '../raggedRows.js';
import type { Part } from './part.js';
import { packReply, type RowFormat, type TeacherReply } from './reply.js';

/** One position of a completion: the token that was generated, and the row of the teacher. */
export interface Position {
  readonly token: number;
  readonly row: SparseRow;
}

/** Packs the positions of a completion, of which row `firstRow` predicts the first token. */
export function packCompletion(
  positions: readonly Position[],
  firstRow: number,
  { columns }: RowFormat,
): TeacherReply {
  const tokens = positions.map(({ token }) => token);
  const rows = positions.map(({ row }) => row);
  return packReply(rows, tokens, firstRow, columns);
}

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
  const expected = lists[0]?.list().length ?? 0;
  for (const list of lists) {
    const { length } = list.list();
    if (length !== expected) throwShape(list.operation, list.place, [length], [expected], why);
  }
}

/** Throws for a token that was generated and that the student does not have. */
export function throwUnknownToken(part: Part): never {
  const hint = 'tokenId returned undefined, but the student reads this token';
  refuse('OUT_OF_RANGE', part.operation, part.place, 'be a token of the student', 'none', { hint });
}
