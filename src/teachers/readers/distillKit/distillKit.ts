import { checkInteger, refuse, throwShape } from '../../../core/errors.js';
import { Part } from '../part.js';
import {
  packReply,
  type ReaderOptions,
  type RowFormat,
  readOptions,
  type TeacherReply,
} from '../reply.js';
import { type Entry, readRow } from '../row.js';
import type { DistillKitConfig, DistillKitLegacyConfig } from './config.js';
import { readScores, type ScoreReader } from './scores.js';

/**
 * A row of a data set of DistillKit: a text, with compressed log-probabilities; or with those of
 * the older format; or with token ids and log-probabilities as they are.
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
  /** Which text each token belongs to, where several were packed into a row: 1, 2, … */
  readonly attention_mask?: ArrayLike<number | bigint> | null | undefined;
}

/** Options of {@link readDistillKit}. */
export interface DistillKitOptions extends ReaderOptions {
  /**
   * The parsed `compression_config.yaml` of the data set. Not needed for rows with `token_ids` and
   * `top_values`.
   */
  readonly config?: DistillKitConfig | DistillKitLegacyConfig | undefined;
  /** Number of tokens, ≥ 1, before the first one that is read; 1: all that are scored are read. */
  readonly promptLength?: number | undefined;
}

/**
 * Largest sum of approximated probabilities that is rescaled to 1; a larger one is no
 * approximation.
 */
const LARGEST_SUM = 2;

/**
 * Reads a row of a data set of log-probabilities that DistillKit wrote as Parquet: the k most
 * probable tokens at each position of a text.
 *
 *     row j scores token j + 1:   row j of the student
 *
 * The compressed format stores the largest log-probabilities as numbers, and approximates the
 * others by a polynomial of their index and rounded residuals. Where approximated probabilities sum
 * to more than 1, they are divided by their sum.
 *
 * @param row - a row as a Parquet reader gives it: columns by name; ids may be bigints
 * @param options - `columns`, `k`, `config`, `promptLength`
 * @returns rows from `promptLength − 1` on
 * @throws {DistillationError} SHAPE_MISMATCH for bytes that do not fit the configuration and for
 *   columns of different lengths, OUT_OF_RANGE for an id, a log-probability, a field of the
 *   configuration or a vocabulary out of range, NOT_FINITE, NOT_A_DISTRIBUTION, EMPTY
 * @throws {TypeError} for a field that is missing or of a wrong type
 *
 * @remarks The log-probabilities are those of vLLM at temperature 1. Values are not rounded to
 *   `exact_dtype` after they are decoded, as DistillKit does. Cost: a few operations for each term
 *   of each token.
 *
 * @example
 * import { readDistillKit } from 'knowledge-distillation/teachers';
 *
 * const row = { input_ids: [5, 2, 7], token_ids: [[2, 4], [2, 3]], top_values: [[-0.5, -1.5], [-0.25, -2.5]] };
 * const { targets, tokens, studentRows } = readDistillKit(row, { columns: 10 });
 * console.log(targets.indices, tokens, studentRows); // 2, 4, 2, 3 and 2, 7 and 0, 1
 */
export function readDistillKit(row: DistillKitRow, options: DistillKitOptions): TeacherReply {
  const operation = 'readDistillKit';
  const format = readOptions(operation, options, ['config', 'promptLength']);
  const { promptLength = 1 } = options;
  checkInteger(operation, 'promptLength', promptLength, 1);
  const given = new Part(operation, row, 'row');
  const texts = given.field('input_ids').items();
  checkPacking(given.field('attention_mask'), texts.length);
  const reader = readScores(given, new Part(operation, options.config, 'config'));
  checkVocabulary(reader, format);
  const count = texts.length - 1;
  const { length } = reader.positions;
  if (count === 0) refuse('EMPTY', operation, 'input_ids', 'hold a token after the first', 'one');
  // Packed data sets drop the last token, so that nothing is known of what the last row predicts.
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
    const entries = readEntries(reader, position, first + i, format);
    return { token: tokens[i]!, row: readRow(position, entries, format) };
  });
  return packReply(positions, first, format);
}

/** Reads the tokens at a position; rescales them where they are approximated. */
function readEntries(
  reader: ScoreReader,
  position: Part,
  index: number,
  { columns }: RowFormat,
): Entry[] {
  const { ids, logs, sorted } = reader.read(position, index);
  const { operation } = position;
  const { length } = logs.list();
  ids.sized(length, 'one for each log-probability');
  const entries: Entry[] = [];
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const log = logs.item(i);
    const logProbability = readLog(log, reader.isLossy);
    if (i > 0 && i < sorted && logProbability > (logs.item(i - 1).value as number)) {
      const expected = 'be at most the one before it, as values descend';
      const hint = 'is it the config of this data set?';
      refuse('OUT_OF_RANGE', operation, log.place, expected, String(logProbability), { hint });
    }
    if (logProbability === -Infinity) continue; // the ids of fewer than k tokens are filled up
    sum += Math.exp(logProbability);
    entries.push({ id: ids.item(i).id(columns), logProbability, part: ids.item(i) });
  }
  if (!reader.isLossy || sum <= 1) return entries;
  if (sum > LARGEST_SUM) {
    const expected = `hold probabilities that sum to at most 1, or ${LARGEST_SUM} if approximated`;
    refuse('NOT_A_DISTRIBUTION', operation, logs.place, expected, String(sum));
  }
  const excess = Math.log(sum);
  return entries.map((entry) => ({ ...entry, logProbability: entry.logProbability - excess }));
}

/** An approximation may be above 0. */
function readLog(log: Part, isLossy: boolean): number {
  const { value } = log;
  if (!isLossy || typeof value !== 'number' || !(value > 0)) return log.logProbability();
  if (value < Infinity) return value;
  refuse('NOT_FINITE', log.operation, log.place, 'be finite', String(value));
}

/** Throws where several texts were packed into a row: the last row of one predicts no token. */
function checkPacking(mask: Part, length: number): void {
  if (mask.isMissing) return;
  const numbers = new Set(Array.from(mask.sized(length, 'one for each token').list(), String));
  if (numbers.size === 1) return;
  const hint = 'slice every column into rows of one text';
  const expected = 'hold the same number everywhere';
  const received = [...numbers].slice(0, 5).join(', ');
  refuse('OUT_OF_RANGE', mask.operation, mask.place, expected, received, { hint });
}

/** DistillKit writes a size that is 1 above that of the tokenizer. */
function checkVocabulary({ vocabulary }: ScoreReader, { columns }: RowFormat): void {
  const size = vocabulary?.integer(2) ?? columns;
  if (!vocabulary || size <= columns + 1) return;
  const expected = `be at most columns + 1, ${columns + 1}`;
  const hint = 'columns is the size of the vocabulary that student and teacher share';
  refuse('OUT_OF_RANGE', vocabulary.operation, vocabulary.place, expected, String(size), { hint });
}
