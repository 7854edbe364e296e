import { allocate } from '../core/allocate.js';
import { checkInteger, checkOptions, refuse, throwShape, throwType } from '../core/errors.js';
import { IGNORE_INDEX, isKept, UNLABELED } from '../core/labels.js';

/** Options of {@link causalRows}: a batch of token sequences. */
export interface CausalRowsOptions {
  /** Number of sequences, ≥ 0. */
  readonly batch: number;
  /** Positions in a sequence, padding included, ≥ 1. */
  readonly length: number;
  /**
   * The token at each position, sequence after sequence, **not shifted**. Pass the token ids that
   * the model reads, or the labels of transformers and TRL: the same ids, with `IGNORE_INDEX` for
   * tokens that are not learned. `UNLABELED` marks an unknown token: its row learns from the
   * teacher only.
   */
  readonly labels: ArrayLike<number | bigint>;
  /**
   * For each position, 1 for a token and 0 for padding. Padding may be on the left or on the right.
   *
   * @defaultValue no padding
   */
  readonly attentionMask?: ArrayLike<number | bigint | boolean> | undefined;
  /**
   * For each sequence, the number of prompt tokens. They are counted from the first token after the
   * padding on the left, and are not learned. A text that is cut within its prompt has no kept row.
   *
   * @defaultValue 0 for each sequence
   */
  readonly promptLengths?: ArrayLike<number> | undefined;
}

/** Labels and mask for the rows of matrices of shape [batch × length, vocabulary]. */
export interface CausalRows {
  /** The label of each row, which is the next token; `IGNORE_INDEX` for an excluded row. */
  readonly labels: Int32Array;
  /**
   * 1 for a kept row, 0 for an excluded row. Only losses without labels need the mask: `labels`
   * exclude the same rows.
   */
  readonly mask: Uint8Array;
  /**
   * Number of kept rows. If a large batch is split into chunks, the sum of their counts is the
   * `normalizer` of each chunk.
   */
  readonly count: number;
}

/** Largest element of an `Int32Array`, which stores the labels. */
const LARGEST_ID = 2 ** 31 - 1;

/**
 * Determines which rows a causal language model learns from, and their labels. The logits at
 * position i predict the token at position i + 1:
 *
 * ```math
 * y_(b, i) = labels_(b, i + 1) for i + 1 < length
 * ```
 *
 * This function shifts the labels by one within each sequence. Do not shift `labels` before the
 * call, and do not cut the logits: the result fits the whole matrices of student and teacher, of
 * shape [batch × length, vocabulary], without a copy.
 *
 * A row is kept in the loss, hard and soft, if it predicts a token that is learned. Excluded are:
 *
 * - the last position of each sequence, because its next token is unknown. To learn from the
 *   teacher there, set the row's label in the result to `UNLABELED`;
 * - a position in padding, before padding, or before `IGNORE_INDEX`;
 * - a position before a token of the prompt. The last position of the prompt is kept: it predicts
 *   the first token of the completion.
 *
 * If several texts are packed into one sequence, put `IGNORE_INDEX` at the first token of each
 * text but the first: the row before that token belongs to another text.
 *
 * @param options - `batch`, `length` and `labels`, and optionally `attentionMask` and
 *   `promptLengths`
 * @returns `labels` and `mask`, each of batch × length, and `count`
 * @throws {DistillationError} `SHAPE_MISMATCH` for an array of another length, `OUT_OF_RANGE` for
 *   a token that is not an id and for an element of the mask other than 0 and 1. Only tokens that
 *   are learned are checked
 * @throws {TypeError} for an option that is not an array
 *
 * @remarks The kept rows are those of the shifted labels of transformers and of TRL's
 *   `GKDTrainer`, but for padding on the left: there, transformers and TRL also keep the last
 *   position of the padding, which predicts the first token.
 *
 * @example
 * ```ts
 * import { causalRows } from 'knowledge-distillation';
 *
 * const { labels, mask, count } = causalRows({
 *   batch: 2,
 *   length: 4,
 *   labels: [[5, 6, 7, 8], [5, 9, 2, 0]].flat(),
 *   attentionMask: [[1, 1, 1, 1], [1, 1, 1, 0]].flat(),
 *   promptLengths: [2, 1],
 * });
 * console.log(labels.join(' ')); // -100 7 8 -100 9 2 -100 -100
 * console.log(mask.join(' '), count); // 0 1 1 0 1 1 0 0 4
 * ```
 */
export function causalRows(options: CausalRowsOptions): CausalRows {
  const operation = 'causalRows';
  const known = ['batch', 'length', 'labels', 'attentionMask', 'promptLengths'];
  checkOptions(operation, 'options', options, known, known.slice(0, 3));
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
    const promptLength = promptLengths
      ? checkInteger(operation, name, promptLengths[sequence], 0)
      : 0;
    let tokens = 0; // tokens of this sequence up to position i
    let followsToken = false; // whether position i − 1 is a token
    for (let i = sequence * length; i < (sequence + 1) * length; i++) {
      const isToken = !attentionMask || isKept(operation, 'attentionMask', attentionMask, i);
      if (isToken) tokens++;
      if (isToken && followsToken && tokens > promptLength) {
        const token = tokenAt(operation, labels, i);
        targets[i - 1] = token;
        if (token !== IGNORE_INDEX) {
          mask[i - 1] = 1;
          count++;
        }
      }
      followsToken = isToken;
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
    const isTensor = typeof values === 'object' && values !== null && 'data' in values;
    const isOneLength = argument === 'promptLengths' && typeof values === 'number';
    const oneHint = isOneLength ? `use new Array(batch).fill(${values})` : undefined;
    const hint = isTensor ? `use ${argument}.data` : oneHint;
    throwType(operation, argument, 'be an array', values, hint);
  }
  if (typeof values[0] === 'object') {
    const hint = `join its rows: ${argument}.flatMap((row) => Array.from(row))`;
    throwType(operation, `${argument}[0]`, 'be a number', values[0], hint);
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
