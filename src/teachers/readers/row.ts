import { refuse } from '../../core/errors.js';
import { SUM_TOLERANCE } from '../../core/labels.js';
import { keepMostProbable } from '../probabilities.js';
import type { SparseRow } from '../raggedRows.js';
import type { Part } from './part.js';
import type { RowFormat } from './reply.js';

/** A class of a row with its log-probability. */
export interface Entry {
  /** The token id; undefined for a token that the student does not have: it joins the tail. */
  readonly id: number | undefined;
  readonly logProbability: number;
  /** Where the class stands in the reply. */
  readonly part: Part;
}

/**
 * Makes a row of what stands at one position of a reply.
 *
 * @param hint - what mends a token that stands there twice
 */
export function readRow(
  position: Part,
  entries: readonly Entry[],
  format: RowFormat,
  hint?: string,
): SparseRow {
  const { operation } = position;
  const { columns } = format;
  const classes: number[] = [];
  const logProbabilities: number[] = [];
  const seen = new Set<number>();
  let sum = 0; // of all tokens, those that the student does not have included
  let known = 0;
  for (const { id, logProbability, part } of entries) {
    sum += Math.exp(logProbability);
    if (id === undefined) continue;
    known += Math.exp(logProbability);
    if (seen.has(id)) {
      const expected = 'hold each token once';
      const received = `${id} again in ${part.place}`;
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
