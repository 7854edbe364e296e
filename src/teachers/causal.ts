import { allocate } from '../core/allocate.js';
import { checkInteger, checkOptions, refuse, throwShape, throwType } from '../core/errors.js';
import { IGNORE_INDEX, isKept, UNLABELED } from '../core/labels.js';

/** What {@link causalRows} is told of a batch of token sequences. */
export interface CausalRowsOptions {
  /** Sequences, ≥ 0. */
  readonly batch: number;
  /** Positions of a sequence, padding included, ≥ 1. */
  readonly length: number;
  /**
   * The token at each position, sequence after sequence: token ids as they went into the model, or labels as
   * transformers and TRL take them, which are the same with `IGNORE_INDEX` where nothing is to be learned. **Not
   * shifted.** `UNLABELED`: the token is unknown, and the teacher alone says what should come there.
   */
  readonly labels: ArrayLike<number | bigint>;
  /** 1 for a token and 0 for padding, on either side; without it, there is no padding. */
  readonly attentionMask?: ArrayLike<number | bigint | boolean>;
  /** For each sequence, how many of its first tokens, padding not counted, are given and not learned. */
  readonly promptLengths?: ArrayLike<number>;
}

/** Rows of [batch × length, vocabulary], and what each learns. */
export interface CausalRows {
  /** For each row the token that comes next, or `IGNORE_INDEX` where the row takes no part. */
  readonly labels: Int32Array;
  /** 1 for each row that takes part: for a loss without labels. With them it says nothing new. */
  readonly mask: Uint8Array;
  /** Rows that take part; summed over the chunks of a large batch, it is the `normalizer` of each. */
  readonly count: number;
}

const LARGEST_ID = 2 ** 31 - 1;

/**
 * Which rows a causal language model learns from, and what: the logits at position i predict the token at i + 1, so
 *
 *     label of row (b, i) = labels[b, i + 1],   i + 1 < length
 *
 * Shifted by one within each sequence, here and nowhere else: do not shift `labels` before, nor cut the logits. The
 * result is for the whole matrices of student and teacher, [batch × length, vocabulary], of which nothing is copied.
 *
 * A row takes part in the loss, hard and soft, if it predicts a token that is to be learned. So these do not:
 *
 * - the last position of each sequence, of which nothing is known but what the teacher says (set its label to
 *   `UNLABELED` where that is to count);
 * - a position before `IGNORE_INDEX`, before padding, or in padding;
 * - a position before a token of the prompt. The last of the prompt predicts the first of the completion, and stays.
 *
 * Where sequences are packed, put `IGNORE_INDEX` at the first token of each but the first: what is before it is of
 * another text.
 *
 * Returns `labels` and `mask`, of batch × length each, and `count`. Only what is to be learned is read of `labels`.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, OUT_OF_RANGE (a token that is no id, a mask that is not 0 or 1, a
 * length). `TypeError` for what is no array.
 *
 * The rows are those of transformers' shifted labels and of TRL's `GKDTrainer`. With padding on the left they are one fewer,
 * since there the last position of the padding predicts the first token.
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
    let tokens = 0; // of the sequence, so far
    let follows = false; // whether the position before is a token
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

/** Throws unless `values` is an array of so many entries; `why` says what they are for. */
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
