import { refuse } from '../../core/errors.js';
import { SUM_TOLERANCE } from '../../core/labels.js';
import { keepMostProbable } from '../probabilities.js';
import type { SparseRow } from '../raggedRows.js';
import type { RowFormat } from './reply.js';
import type { ReplyNode } from './replyNode.js';

/** A token that a position scores, with its log-probability. */
export interface Candidate {
  /** The token id; undefined for a token that the student does not have, which joins the tail. */
  readonly id: number | undefined;
  readonly logProbability: number;
  /** The node of the reply that holds the token. */
  readonly node: ReplyNode;
}

/**
 * Makes a row of a sparse teacher from the candidates at one position of a reply.
 *
 * @param hint - how to mend a token that stands there twice
 */
export function readRow(
  position: ReplyNode,
  candidates: readonly Candidate[],
  format: RowFormat,
  hint?: string,
): SparseRow {
  const { operation } = position;
  const { columns } = format;
  const classes: number[] = [];
  const logProbabilities: number[] = [];
  const seen = new Set<number>();
  let sum = 0; // of all tokens, also of tokens that the student does not have
  let known = 0; // of the tokens that the student has
  for (const { id, logProbability, node } of candidates) {
    sum += Math.exp(logProbability);
    if (id === undefined) continue;
    known += Math.exp(logProbability);
    if (seen.has(id)) {
      const expected = 'hold each token once';
      const received = `${id} again in ${node.place}`;
      refuse('OUT_OF_RANGE', operation, position.place, expected, received, { hint });
    }
    seen.add(id);
    if (logProbability === -Infinity) continue;
    classes.push(id);
    logProbabilities.push(logProbability);
  }
  if (classes.length === 0) {
    const expected = 'give a token of the student a probability above 0';
    refuse('EMPTY', operation, position.place, expected, 'none');
  }
  const isWhole = seen.size === columns;
  if (sum > 1 + SUM_TOLERANCE || (isWhole && known < 1 - SUM_TOLERANCE)) {
    const expected = `hold probabilities that sum to ${isWhole ? '' : 'at most '}1 (±${SUM_TOLERANCE})`;
    refuse('NOT_A_DISTRIBUTION', operation, position.place, expected, String(sum));
  }
  return keepMostProbable({ classes, logProbabilities }, seen.size, format);
}
