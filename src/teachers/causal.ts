import { allocate } from '../core/allocate.js';
import { checkInteger, checkOptions, refuse, throwShape, throwType } from '../core/errors.js';
import { IGNORE_INDEX, isKept, UNLABELED } from '../core/labels.js';

/** A batch of token sequences, for {@link causalRows}. */
export interface CausalRowsOptions {
  /** Number of sequences, ≥ 0. */
  readonly batch: number;
  /** Positions in a sequence, padding included, ≥ 1. */
  readonly length: number;
  /**
   * The token at each position, sequence after sequence. Pass the token ids that the model reads,
   * or the labels of transformers and TRL: the same ids, with `IGNORE_INDEX` for tokens that are
   * not learned. **Not shifted.** `UNLABELED` marks an unknown token: only the teacher determines
   * it.
   */
  readonly labels: ArrayLike<number | bigint>;
  /** 1 for a token, 0 for padding on either side; no padding if it is left out. */
  readonly attentionMask?: ArrayLike<number | bigint | boolean> | undefined;
  /** For each sequence, the number of prompt tokens, without padding; they are not learned. */
  readonly promptLengths?: ArrayLike<number> | undefined;
}

/** Rows of [batch × length, vocabulary], with the label of each. */
export interface CausalRows {
  /** For each row the next token; `IGNORE_INDEX` for an excluded row. */
  readonly labels: Int32Array;
  /** 1 for each kept row, for a loss without labels. With these labels the mask is redundant. */
  readonly mask: Uint8Array;
  /**
   * Number of kept rows. Summed over the chunks of a large batch, it is the `normalizer` of each
   * chunk.
   */
  readonly count: number;
}

/** Largest integer of an `Int32Array`. */
const LARGEST_ID = 2 ** 31 - 1;

/**
 * Determines which rows a causal language model learns from, and their labels. The logits at
 * position i predict the token at i + 1:
 *
 *     label of row (b, i) = labels[b, i + 1],   i + 1 < length
 *
 * The labels are shifted by one within each sequence here. Do not shift `labels` before the call,
 * and do not cut the logits: the result is for the whole matrices of student and teacher, [batch ×
 * length, vocabulary], without a copy.
 *
 * A row is kept in the loss, hard and soft, if it predicts a token that is learned. These rows are
 * excluded:
 *
 * - the last position of each sequence: its next token is unknown. To learn from the teacher there,
 *   set its label to `UNLABELED`;
 * - a position before `IGNORE_INDEX`, before padding, or in padding;
 * - a position before a token of the prompt. The last position of the prompt is kept: it predicts
 *   the first token of the completion.
 *
 * If sequences are packed, put `IGNORE_INDEX` at the first token of each sequence but the first:
 * the tokens before it belong to another text.
 *
 * @returns `labels` and `mask`, each of batch × length, and `count`
 * @throws {DistillationError} SHAPE_MISMATCH for a length, OUT_OF_RANGE for a token that is no id
 *   and for a mask that is not 0 or 1; only tokens that are learned are checked
 * @throws {TypeError} for an argument that is no array
 *
 * @remarks The rows are the same as by the shifted labels of transformers and by the `GKDTrainer`
 *   of TRL. With padding on the left there is one row fewer: there, the last position of the
 *   padding predicts the first token.
 *
 * @example
 * import { causalRows } from 'knowledge-distillation';
 *
 * const { labels, mask, count } = causalRows({
 *   batch: 2,
 *   length: 4,
 *   labels: [[5, 6, 7, 8], [5, 9, 2, 0]].flat(),
 *   attentionMask: [[1, 1, 1, 1], [1, 1, 1, 0]].flat(),
 *   promptLengths: [2, 1],
 * });
 * console.log(labels); // −100, 7, 8, −100, 9, 2, −100, −100
 * console.log(mask, count); // 0, 1, 1, 0, 1, 1, 0, 0 and 4
 */
export function causalRows(options: CausalRowsOptions): CausalRows {
  const operation = 'causalRows';
  const known = ['batch', 'length', 'labels', 'attentionMask', 'promptLengths'];
  checkOptions(operation, 'options', options, known);
  const { labels, attentionMask, promptLengths } = options;
  const batch = checkInteger(operation, 'batch', options.batch, 0);
  const length = checkInteger(operation, 'length', options.length, 1);
  const rows = batch * length;
  checkLength(operation, 'labels', labels, rows, 'batch × length');
  if (attentionMask !== undefined) {
    checkLength(operation, 'attentionMask', attentionMask, rows, 'batch × length');
  }
  if (promptLengths !== undefined) {
    checkLength(operation, 'promptLengths', promptLengths, batch, 'one for each sequence');
  }

  const targets = allocate(operation, { batch, length }, (size) => new Int32Array(size));
  targets.fill(IGNORE_INDEX);
  const mask = new Uint8Array(rows);
  let count = 0;
  for (let sequence = 0; sequence < batch; sequence++) {
    const name = `promptLengths[${sequence}]`;
    const given = promptLengths ? checkInteger(operation, name, promptLengths[sequence], 0) : 0;
    let tokens = 0; // tokens of this sequence up to position i
    let follows = false; // whether position i − 1 is a token
    for (let i = sequence * length; i < (sequence + 1) * length; i++) {
      const isToken = !attentionMask || isKept(operation, 'attentionMask', attentionMask, i);
      if (isToken) tokens++;
      if (isToken && follows && tokens > given) {
        const token = tokenAt(operation, labels, i);
        targets[i - 1] = token;
        if (token !== IGNORE_INDEX) {
          mask[i - 1] = 1;
          count++;
        }
      }
      follows = isToken;
    }
  }
  return { labels: targets, mask, count };
}

/** Throws unless `values` is an array of the expected length; `why` explains that length. */
function checkLength(
  operation: string,
  argument: string,
  values: ArrayLike<unknown>,
  expected: number,
  why: string,
): void {
  if (typeof values !== 'object' || typeof values?.length !== 'number') {
    throwType(operation, argument, 'be an array', values);
  }
  const { length } = values;
  if (length !== expected) throwShape(operation, argument, [length], [expected], why);
}

function tokenAt(operation: string, labels: ArrayLike<number | bigint>, row: number): number {
  const token: unknown = labels[row];
  if (typeof token !== 'number' && typeof token !== 'bigint') {
    throwType(operation, `labels[${row}]`, 'be a number or a bigint', token);
  }
  const id = Number(token);
  if (Number.isInteger(id) && id >= 0 && id <= LARGEST_ID) return id;
  if (id === UNLABELED || id === IGNORE_INDEX) return id;
  const expected = `be a token id, UNLABELED (${UNLABELED}) or IGNORE_INDEX (${IGNORE_INDEX})`;
  refuse('OUT_OF_RANGE', operation, 'labels', expected, String(token), { row });
}
