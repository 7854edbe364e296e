import { checkInteger, refuse, throwShape } from '../../../core/errors.js';
import {
  packReply,
  type ReaderOptions,
  type RowFormat,
  readOptions,
  type TeacherReply,
} from '../reply.js';
import { COLUMNS_HINT, ReplyNode } from '../replyNode.js';
import { type Candidate, readRow } from '../row.js';
import type { DistillKitConfig, DistillKitLegacyConfig } from './config.js';
import { readScores, type ScoreReader } from './scores.js';

/**
 * A row of a data set of DistillKit: a text with log-probabilities in one of three formats:
 * compressed, compressed in the older format, or plain token ids and log-probabilities.
 */
export interface DistillKitRow {
  readonly input_ids: ArrayLike<number | bigint>;
  readonly compressed_logprobs?: ArrayLike<ArrayLike<number>> | null | undefined;
  readonly bytepacked_indices?: ArrayLike<ArrayLike<number>> | null | undefined;
  readonly packed_indices?: ArrayLike<ArrayLike<number | bigint>> | null | undefined;
  readonly exact_values?: ArrayLike<ArrayLike<number>> | null | undefined;
  readonly coeffs?: ArrayLike<ArrayLike<number>> | null | undefined;
  readonly token_ids?: ArrayLike<ArrayLike<number | bigint>> | null | undefined;
  readonly top_values?: ArrayLike<ArrayLike<number>> | null | undefined;
  /** The number of the text of each token, 1, 2, …, if several texts are packed into a row. */
  readonly attention_mask?: ArrayLike<number | bigint> | null | undefined;
}

/** Options of {@link readDistillKit}. */
export interface DistillKitOptions extends ReaderOptions {
  /**
   * The parsed `compression_config.yaml` of the data set. Rows with `token_ids` and `top_values` do
   * not need it.
   */
  readonly config?: DistillKitConfig | DistillKitLegacyConfig | undefined;
  /**
   * Number of tokens, ≥ 1, before the first token that is read.
   *
   * @defaultValue 1, which reads all scored tokens
   */
  readonly promptLength?: number | undefined;
}

/**
 * Largest sum of approximated probabilities that is rescaled to 1. A larger sum shows
 * that the configuration is wrong.
 */
const LARGEST_SUM = 2;

/**
 * Reads a row of a data set of log-probabilities that DistillKit wrote as Parquet: the k most
 * probable tokens at each position of a text.
 *
 * Row j of the data set scores token j + 1 of the text, which row j of the student predicts.
 *
 * The compressed format stores the largest log-probabilities exactly, and approximates the other
 * ones by a polynomial of their index and quantized residuals. If approximated probabilities sum to
 * more than 1, they are divided by their sum.
 *
 * @param row - a row as a Parquet reader returns it: an object with a property for each column. Ids
 *   may be bigints
 * @param options - `columns`, `k`, `config`, `promptLength`
 * @returns one row for each token that is read; `studentRows` begins at `promptLength − 1`
 * @throws {DistillationError} `SHAPE_MISMATCH` for bytes that do not fit the configuration and for
 *   columns of different lengths, `OUT_OF_RANGE` for an id, a log-probability, a field of the
 *   configuration or a vocabulary out of range, `NOT_FINITE`, `NOT_A_DISTRIBUTION`, `EMPTY`
 * @throws {TypeError} for a field that is missing or of a wrong type
 *
 * @remarks The log-probabilities are vLLM's, at temperature 1. DistillKit rounds decoded values to
 *   `exact_dtype`; this reader does not. Cost: a few operations for each term of each token.
 *
 * @example
 * ```ts
 * import { readDistillKit } from 'knowledge-distillation/teachers';
 *
 * const row = {
 *   input_ids: [5, 2, 7],
 *   token_ids: [[2, 4], [2, 3]],
 *   top_values: [[-0.5, -1.5], [-0.25, -2.5]],
 * };
 * const { targets, tokens, studentRows } = readDistillKit(row, { columns: 10 });
 * console.log(targets.indices.join(' ')); // 2 4 2 3
 * console.log(tokens.join(' ')); // 2 7
 * console.log(studentRows.join(' ')); // 0 1
 * ```
 */
export function readDistillKit(row: DistillKitRow, options: DistillKitOptions): TeacherReply {
  const operation = 'readDistillKit';
  const format = readOptions(operation, options, ['config', 'promptLength']);
  const { promptLength = 1 } = options;
  checkInteger(operation, 'promptLength', promptLength, 1);
  const given = new ReplyNode(operation, row, 'row');
  const texts = given.field('input_ids').items();
  checkPacking(given.field('attention_mask'), texts.length);
  const reader = readScores(given, new ReplyNode(operation, options.config, 'config'));
  checkVocabulary(reader, format);
  const count = texts.length - 1;
  const { length } = reader.positions;
  if (count === 0) refuse('EMPTY', operation, 'input_ids', 'hold a token after the first', 'one');
  // Packed data sets drop the last token of a text, so the label of the last row is unknown.
  if (length !== count && length !== texts.length) {
    const why = 'one for each token after the first';
    throwShape(operation, 'input_ids', [texts.length], [length + 1], why);
  }
  if (promptLength > count) {
    const expected = `be below ${texts.length}, the number of tokens`;
    refuse('OUT_OF_RANGE', operation, 'promptLength', expected, String(promptLength));
  }
  const first = promptLength - 1;
  const tokens = texts.slice(promptLength).map((text) => text.id(format.columns));
  const positions = reader.positions.slice(first, count).map((position, i) => {
    const candidates = readCandidates(reader, position, first + i, format);
    return { token: tokens[i]!, row: readRow(position, candidates, format) };
  });
  return packReply(positions, first, format);
}

/** Reads the tokens at a position. Rescales approximated probabilities that sum to more than 1. */
function readCandidates(
  reader: ScoreReader,
  position: ReplyNode,
  index: number,
  { columns }: RowFormat,
): Candidate[] {
  const { ids, logs, sorted } = reader.read(position, index);
  const { operation } = position;
  const { length } = logs.list();
  ids.sized(length, 'one for each log-probability');
  const candidates: Candidate[] = [];
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const log = logs.item(i);
    const logProbability = readLog(log, reader.isLossy);
    if (i > 0 && i < sorted && logProbability > (logs.item(i - 1).value as number)) {
      const expected = 'be at most the one before it, as values descend';
      const hint = 'is it the config of this data set?';
      refuse('OUT_OF_RANGE', operation, log.place, expected, String(logProbability), { hint });
    }
    if (logProbability === -Infinity) continue; // padding of a position with fewer than k tokens
    sum += Math.exp(logProbability);
    candidates.push({ id: ids.item(i).id(columns), logProbability, node: ids.item(i) });
  }
  if (!reader.isLossy || sum <= 1) return candidates;
  if (sum > LARGEST_SUM) {
    const expected = `hold probabilities that sum to at most 1, or ${LARGEST_SUM} if approximated`;
    refuse('NOT_A_DISTRIBUTION', operation, logs.place, expected, String(sum));
  }
  const excess = Math.log(sum);
  return candidates.map((candidate) => ({
    ...candidate,
    logProbability: candidate.logProbability - excess,
  }));
}

/** Reads a log-probability. An approximated one may be above 0. */
function readLog(log: ReplyNode, isLossy: boolean): number {
  const { value } = log;
  if (!isLossy || typeof value !== 'number' || !(value > 0)) return log.logProbability();
  if (value < Infinity) return value;
  refuse('NOT_FINITE', log.operation, log.place, 'be finite', String(value));
}

/** Throws if several texts are packed into a row: the last row of a text predicts no token. */
function checkPacking(mask: ReplyNode, length: number): void {
  if (mask.isMissing) return;
  const numbers = new Set(Array.from(mask.sized(length, 'one for each token').list(), String));
  if (numbers.size === 1) return;
  const hint = 'slice every column into rows of one text';
  const expected = 'hold the same number everywhere';
  const received = [...numbers].slice(0, 5).join(', ');
  refuse('OUT_OF_RANGE', mask.operation, mask.place, expected, received, { hint });
}

/** Checks the vocabulary. DistillKit writes a size that is 1 above the tokenizer's. */
function checkVocabulary({ vocabulary }: ScoreReader, { columns }: RowFormat): void {
  const size = vocabulary?.integer(2) ?? columns;
  if (!vocabulary || size <= columns + 1) return;
  const expected = `be at most columns + 1, ${columns + 1}`;
  const received = String(size);
  const hint = COLUMNS_HINT;
  refuse('OUT_OF_RANGE', vocabulary.operation, vocabulary.place, expected, received, { hint });
}
