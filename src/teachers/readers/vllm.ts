import { checkInteger, refuse, throwType } from '../../core/errors.js';
import { checkCount, checkFirst } from './completion.js';
import {
  findChoice,
  packReply,
  type ReaderOptions,
  type RowFormat,
  readOptions,
  type TeacherReply,
} from './reply.js';
import { COLUMNS_HINT, isTokenId, ReplyNode } from './replyNode.js';
import { type Candidate, readRow } from './row.js';

/** A token that vLLM scored. */
export interface VLLMLogprob {
  readonly logprob: number;
  /** 1 for the most probable token. */
  readonly rank: number;
}

/** For each token of the prompt, the scored tokens by id; `null` for the first token. */
export type VLLMPromptLogprobs = readonly (Readonly<
  Record<string, VLLMLogprob | undefined>
> | null)[];

/**
 * The fields of a reply of vLLM's `/v1/completions` or `/v1/chat/completions` that {@link readVLLM}
 * reads.
 */
export interface VLLMResponse {
  /** A completion holds the scores of the prompt here. */
  readonly choices?:
    | readonly {
        readonly prompt_logprobs?: VLLMPromptLogprobs | null | undefined;
        readonly prompt_token_ids?: readonly number[] | null | undefined;
      }[]
    | undefined;
  /** A chat completion holds the scores of the prompt here. */
  readonly prompt_logprobs?: VLLMPromptLogprobs | null | undefined;
  readonly prompt_token_ids?: readonly number[] | null | undefined;
}

/** Options of {@link readVLLM}. */
export interface VLLMOptions extends ReaderOptions {
  /**
   * Index in `choices`, for a completion of several prompts.
   *
   * @defaultValue 0
   */
  readonly choice?: number | undefined;
  /**
   * All tokens that the server read.
   *
   * @defaultValue the `prompt_token_ids` of the reply, which it has if the request has
   *   `return_token_ids: true`
   */
  readonly promptTokens?: ArrayLike<number> | undefined;
  /**
   * Number of tokens, ≥ 1, before the first token that is read. If the server read a prompt and a
   * completion as one text, pass the number of tokens of the prompt.
   *
   * @defaultValue 1, which reads all scored tokens
   */
  readonly promptLength?: number | undefined;
}

const ASK = 'ask for prompt_logprobs: k in the request, k ≥ 1';
const ASK_IDS = 'ask for return_token_ids: true in the request, or pass promptTokens';

/**
 * Reads the `prompt_logprobs` of vLLM: the most probable tokens at each position of a text that the
 * server read and did not generate.
 *
 * Item i of the list scores token i of the text, which row i − 1 of the student predicts. vLLM also
 * scores the token at a position if it is not among the k most probable tokens. It is then not
 * kept: all rows keep the same number of classes.
 *
 * @param response - the parsed JSON of `/v1/completions` or `/v1/chat/completions`
 * @param options - `columns`, `k`, `choice`, `promptTokens`, `promptLength`
 * @returns one row for each token that is read; `studentRows` begins at `promptLength − 1`
 * @throws {DistillationError} `OUT_OF_RANGE` for an id, a rank or a log-probability out of range,
 * `SHAPE_MISMATCH` for rows of different sizes, `NOT_A_DISTRIBUTION` for a sum above 1, `EMPTY`,
 * and for an option
 * @throws {TypeError} for a field that is missing or of a wrong type. The hint of a missing field
 *   names the option of the request that adds it
 *
 * @remarks vLLM scores prompts at temperature 1 with `--logprobs-mode raw_logprobs`, which is its
 *   default. The server's `max_logprobs` limits k; its default is 20.
 *
 * @example
 * ```ts
 * import { readVLLM } from 'knowledge-distillation/teachers';
 *
 * const response = {
 *   choices: [
 *     {
 *       prompt_token_ids: [5, 2, 7],
 *       prompt_logprobs: [
 *         null,
 *         { 2: { logprob: -0.5, rank: 1 }, 4: { logprob: -1.5, rank: 2 } },
 *         {
 *           2: { logprob: -0.2, rank: 1 },
 *           3: { logprob: -2.5, rank: 2 },
 *           7: { logprob: -5, rank: 9 },
 *         },
 *       ],
 *     },
 *   ],
 * };
 * const { targets, tokens, studentRows } = readVLLM(response, { columns: 10 });
 * console.log(targets.indices.join(' ')); // 2 4 2 3
 * console.log(tokens.join(' ')); // 2 7
 * console.log(studentRows.join(' ')); // 0 1
 * ```
 */
export function readVLLM(response: VLLMResponse, options: VLLMOptions): TeacherReply {
  const operation = 'readVLLM';
  const format = readOptions(operation, options, ['choice', 'promptTokens', 'promptLength']);
  const { choice = 0, promptTokens, promptLength = 1 } = options;
  const reply = new ReplyNode(operation, response, 'response');
  const scored = findPrompt(reply, checkInteger(operation, 'choice', choice, 0));
  const positions = scored.field('prompt_logprobs').items(ASK);
  const ids = promptTokens
    ? new ReplyNode(operation, promptTokens, 'promptTokens')
    : scored.field('prompt_token_ids');
  ids.list(ASK_IDS);
  const { length } = positions;
  ids.sized(length, 'one for each position');
  checkPromptLength(scored.field('prompt_logprobs'), promptLength, length);
  checkFirst(positions[0]!);

  const read = positions.slice(promptLength).map((position, i) => {
    const token = ids.item(promptLength + i);
    return {
      position,
      token: token.id(format.columns),
      candidates: ranked(position, token, format),
    };
  });
  const size = read.reduce((least, { candidates }) => Math.min(least, candidates.length), Infinity);
  if (size === 0) {
    const { place } = scored.field('prompt_logprobs');
    refuse('EMPTY', operation, place, 'score tokens of rank 1', 'the text alone', { hint: ASK });
  }
  const kept = read.map(({ position, token, candidates }) => {
    checkCount(position, candidates.length, size, candidates[size]?.id === token);
    return { token, row: readRow(position, candidates.slice(0, size), format) };
  });
  return packReply(kept, promptLength - 1, format);
}

/**
 * Returns the node that holds `prompt_logprobs`: a choice of a completion, or a chat completion.
 */
function findPrompt(reply: ReplyNode, choice: number): ReplyNode {
  if (reply.field('prompt_logprobs').isMissing) return findChoice(reply, choice, ASK);
  if (choice === 0) return reply;
  const expected = 'be 0, as a chat completion has one prompt';
  refuse('OUT_OF_RANGE', reply.operation, 'choice', expected, String(choice));
}

function checkPromptLength(
  { operation, place }: ReplyNode,
  promptLength: number,
  length: number,
): void {
  checkInteger(operation, 'promptLength', promptLength, 1);
  if (length === 1) {
    refuse('EMPTY', operation, place, 'score a token after the first', 'the first alone');
  }
  if (promptLength < length) return;
  const expected = `be below ${length}, the number of tokens that the server read`;
  refuse('OUT_OF_RANGE', operation, 'promptLength', expected, String(promptLength));
}

interface RankedCandidate extends Candidate {
  readonly rank: number;
}

/**
 * Returns the candidates of the consecutive ranks 1, 2, … at a position. The token that stands
 * there is a candidate, too, and may have any rank.
 */
function ranked(
  position: ReplyNode,
  token: ReplyNode,
  { columns }: RowFormat,
): readonly RankedCandidate[] {
  const { operation, place } = position;
  if (position.isMissing) {
    throwType(operation, place, 'be an object: only the first position is null', position.value);
  }
  const id = token.id(columns);
  const all = Object.keys(Object(position.value)).map((key) =>
    readCandidate(position, key, columns),
  );
  if (!all.some((candidate) => candidate.id === id)) {
    const expected = `be a token that ${place} scores`;
    const hint = 'the server read another text';
    refuse('OUT_OF_RANGE', operation, token.place, expected, String(id), { hint });
  }
  // Older versions give the token the same rank as another token of the same probability.
  const isToken = (candidate: RankedCandidate) => Number(candidate.id === id);
  all.sort((a, b) => a.rank - b.rank || isToken(a) - isToken(b));
  const candidates: RankedCandidate[] = [];
  for (const [i, candidate] of all.entries()) {
    if (i > 0 && candidate.logProbability > all[i - 1]!.logProbability) {
      const expected = 'not be more probable than a token of a lower rank';
      refuse('OUT_OF_RANGE', operation, candidate.node.place, expected, `rank ${candidate.rank}`);
    }
    if (candidate.rank === candidates.length + 1) candidates.push(candidate);
    else if (candidate.id !== id) {
      const expected = 'have the rank that follows, as the token at the position alone has another';
      refuse('OUT_OF_RANGE', operation, candidate.node.place, expected, `rank ${candidate.rank}`);
    }
  }
  return candidates;
}

function readCandidate(position: ReplyNode, key: string, columns: number): RankedCandidate {
  const node = position.field(key);
  const id = Number(key);
  // Number() also accepts keys that the server never writes: '', ' 7' and '7e0'.
  if (String(id) !== key || !isTokenId(id, columns)) {
    const expected = `have a token id in [0, ${columns}) as its key`;
    const hint = id >= columns ? COLUMNS_HINT : undefined;
    refuse('OUT_OF_RANGE', position.operation, node.place, expected, JSON.stringify(key), { hint });
  }
  const logProbability = node.field('logprob').logProbability();
  return { id, logProbability, rank: node.field('rank').integer(1), node };
}
