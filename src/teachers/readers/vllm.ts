import { checkInteger, refuse, throwType } from '../../core/errors.js';
import { checkCount, checkFirst } from './completion.js';
import { isTokenId, Part } from './part.js';
import {
  findChoice,
  packReply,
  type ReaderOptions,
  type RowFormat,
  readOptions,
  type TeacherReply,
} from './reply.js';
import { type Entry, readRow } from './row.js';

/** A token that vLLM scored. */
export interface VLLMLogprob {
  readonly logprob: number;
  /** 1 for the most probable token. */
  readonly rank: number;
}

/** For each token of the prompt the scored tokens by id; `null` for the first one. */
export type VLLMPromptLogprobs = readonly (Readonly<Record<string, VLLMLogprob>> | null)[];

/** What {@link readVLLM} reads of a reply of vLLM's `/v1/completions` or `/v1/chat/completions`. */
export interface VLLMResponse {
  /** Of a completion: what the server read stands here. */
  readonly choices?: readonly {
    readonly prompt_logprobs?: VLLMPromptLogprobs | null | undefined;
    readonly prompt_token_ids?: readonly number[] | null | undefined;
  }[];
  /** Of a chat completion: what the server read stands here. */
  readonly prompt_logprobs?: VLLMPromptLogprobs | null | undefined;
  readonly prompt_token_ids?: readonly number[] | null | undefined;
}

/** Options of {@link readVLLM}. */
export interface VLLMOptions extends ReaderOptions {
  /** Index in `choices`, where a completion was asked for several prompts; 0. */
  readonly choice?: number | undefined;
  /**
   * Tokens that the server read, from the first one on. By default the `prompt_token_ids` of the
   * reply, which it has if the request says `return_token_ids: true`.
   */
  readonly promptTokens?: ArrayLike<number> | undefined;
  /**
   * Number of tokens, ≥ 1, before the first one that is read: the prompt, where the server read a
   * prompt and a completion as one text. 1 by default: all that is scored is read.
   */
  readonly promptLength?: number | undefined;
}

/** How to get what is missing. */
const ASK = 'ask for prompt_logprobs: k in the request, k ≥ 1';
const ASK_IDS = 'ask for return_token_ids: true in the request, or pass promptTokens';

/**
 * Reads the `prompt_logprobs` of vLLM: the most probable tokens at each position of a text that the
 * server read, without generating it.
 *
 *     entry i scores token i:   row i − 1 of the student
 *
 * The token that stands at a position is always among the entries of vLLM, with its rank. Beyond
 * the k that were asked for it is no target: every row keeps the same number of classes.
 *
 * @param response - the parsed JSON of `/v1/completions` or `/v1/chat/completions`
 * @param options - `columns`, `k`, `choice`, `promptTokens`, `promptLength`
 * @returns rows from `promptLength − 1` on
 * @throws {DistillationError} OUT_OF_RANGE for an id, a rank or a log-probability out of range,
 *   SHAPE_MISMATCH for rows of different sizes, NOT_A_DISTRIBUTION for a sum above 1, EMPTY, and
 *   for an option
 * @throws {TypeError} for a field that is missing or of a wrong type; the hint names what to ask
 * for
 *
 * @remarks vLLM scores prompts at temperature 1, with `--logprobs-mode raw_logprobs`, its default.
 *   `max_logprobs` of the server limits k: 20, unless it was started with more.
 *
 * @example
 * import { readVLLM } from 'knowledge-distillation/teachers';
 *
 * const response = {
 *   choices: [
 *     {
 *       prompt_token_ids: [5, 2, 7],
 *       prompt_logprobs: [
 *         null,
 *         { 2: { logprob: -0.5, rank: 1 }, 4: { logprob: -1.5, rank: 2 } },
 *         { 2: { logprob: -0.2, rank: 1 }, 3: { logprob: -2.5, rank: 2 }, 7: { logprob: -5, rank: 9 } },
 *       ],
 *     },
 *   ],
 * };
 * const { targets, tokens, studentRows } = readVLLM(response, { columns: 10 });
 * console.log(targets.indices); // 2, 4, 2, 3
 * console.log(tokens, studentRows); // 2, 7 and 0, 1
 */
export function readVLLM(response: VLLMResponse, options: VLLMOptions): TeacherReply {
  const operation = 'readVLLM';
  const format = readOptions(operation, options, ['choice', 'promptTokens', 'promptLength']);
  const { choice = 0, promptTokens, promptLength = 1 } = options;
  const reply = new Part(operation, response, 'response');
  const scored = findPrompt(reply, checkInteger(operation, 'choice', choice, 0));
  const positions = scored.field('prompt_logprobs').items(ASK);
  const ids = promptTokens
    ? new Part(operation, promptTokens, 'promptTokens')
    : scored.field('prompt_token_ids');
  ids.list(ASK_IDS);
  const { length } = positions;
  ids.sized(length, 'one for each position');
  checkPromptLength(scored.field('prompt_logprobs'), promptLength, length);
  checkFirst(positions[0]!);

  const read = positions.slice(promptLength).map((position, i) => {
    const token = ids.item(promptLength + i);
    return { position, token: token.id(format.columns), entries: ranked(position, token, format) };
  });
  const size = read.reduce((least, { entries }) => Math.min(least, entries.length), Infinity);
  if (size === 0) {
    const { place } = scored.field('prompt_logprobs');
    refuse('EMPTY', operation, place, 'score tokens of rank 1', 'the text alone', { hint: ASK });
  }
  const kept = read.map(({ position, token, entries }) => {
    checkCount(position, entries.length, size, entries[size]?.id === token);
    return { token, row: readRow(position, entries.slice(0, size), format) };
  });
  return packReply(kept, promptLength - 1, format);
}

/** Finds what holds `prompt_logprobs`: a choice of a completion, or the whole reply of a chat. */
function findPrompt(reply: Part, choice: number): Part {
  if (reply.field('prompt_logprobs').isMissing) return findChoice(reply, choice, ASK);
  if (choice === 0) return reply;
  const expected = 'be 0, as a chat completion has one prompt';
  refuse('OUT_OF_RANGE', reply.operation, 'choice', expected, String(choice));
}

function checkPromptLength({ operation, place }: Part, promptLength: number, length: number): void {
  checkInteger(operation, 'promptLength', promptLength, 1);
  if (length === 1) {
    refuse('EMPTY', operation, place, 'score a token after the first', 'the first alone');
  }
  if (promptLength < length) return;
  const expected = `be below ${length}, the number of tokens that the server read`;
  refuse('OUT_OF_RANGE', operation, 'promptLength', expected, String(promptLength));
}

interface RankedEntry extends Entry {
  readonly rank: number;
}

/**
 * The entries of ranks 1, 2, … at a position, as far as they follow each other. The token that
 * stands there is an entry too; its rank may be any.
 */
function ranked(position: Part, token: Part, { columns }: RowFormat): readonly RankedEntry[] {
  const { operation, place } = position;
  if (position.isMissing) {
    throwType(operation, place, 'be an object: only the first position is null', position.value);
  }
  const id = token.id(columns);
  const all = Object.keys(Object(position.value)).map((key) => readEntry(position, key, columns));
  if (!all.some((entry) => entry.id === id)) {
    const expected = `be a token that ${place} scores`;
    const hint = 'the server read another text';
    refuse('OUT_OF_RANGE', operation, token.place, expected, String(id), { hint });
  }
  // Where the token ties with another one, older versions give both the same rank.
  const isToken = (entry: RankedEntry) => Number(entry.id === id);
  all.sort((a, b) => a.rank - b.rank || isToken(a) - isToken(b));
  const entries: RankedEntry[] = [];
  for (const [i, entry] of all.entries()) {
    if (i > 0 && entry.logProbability > all[i - 1]!.logProbability) {
      const expected = 'not be more probable than a token of a lower rank';
      refuse('OUT_OF_RANGE', operation, entry.part.place, expected, `rank ${entry.rank}`);
    }
    if (entry.rank === entries.length + 1) entries.push(entry);
    else if (entry.id !== id) {
      const expected = 'have the rank that follows, as the token at the position alone has another';
      refuse('OUT_OF_RANGE', operation, entry.part.place, expected, `rank ${entry.rank}`);
    }
  }
  return entries;
}

function readEntry(position: Part, key: string, columns: number): RankedEntry {
  const part = position.field(key);
  const id = Number(key);
  // Number reads more than the server writes: '', ' 7' and '7e0'.
  if (String(id) !== key || !isTokenId(id, columns)) {
    const expected = `be at a token id in [0, ${columns})`;
    refuse('OUT_OF_RANGE', position.operation, part.place, expected, JSON.stringify(key));
  }
  const logProbability = part.field('logprob').logProbability();
  return { id, logProbability, rank: part.field('rank').integer(1), part };
}
