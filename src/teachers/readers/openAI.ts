import { checkInteger } from '../../core/errors.js';
import { lastPromptRow } from './completion.js';
import { findChoice, packReply, readOptions, type TeacherReply } from './reply.js';
import { ReplyNode } from './replyNode.js';
import { type GeneratedToken, readScoredTokens, type TokenIdOptions } from './scoredTokens.js';

/** The fields of a chat completion that {@link readOpenAI} reads. */
export interface OpenAIResponse {
  readonly choices: readonly {
    readonly logprobs?:
      | { readonly content?: readonly GeneratedToken[] | null | undefined }
      | null
      | undefined;
  }[];
  readonly usage?: { readonly prompt_tokens?: number | undefined } | null | undefined;
}

/** A parsed line of the output file of a batch. */
export interface OpenAIBatchLine {
  readonly custom_id: string;
  readonly response: { readonly body: OpenAIResponse } | null;
}

/** Options of {@link readOpenAI}. */
export interface OpenAIOptions extends TokenIdOptions {
  /**
   * Index in `choices`.
   *
   * @defaultValue 0
   */
  readonly choice?: number | undefined;
}

const ASK = 'ask for logprobs: true and top_logprobs: 20 in the request';

/**
 * Reads the log-probabilities of a chat completion of OpenAI, or of a server with the same API: at
 * most 20 most probable tokens for each generated token.
 *
 * Row `promptLength − 1 + c` of the student predicts token c of the completion.
 *
 * Replies of the API have no token ids: `tokenId` looks up the bytes of each token in the student's
 * vocabulary. A log-probability of −9999 means that a token is not among the 20: the row does not
 * keep the token.
 *
 * @param response - the parsed JSON of `/v1/chat/completions`, or a parsed line of the output file
 *   of a batch
 * @param options - `columns`, `k`, `tokenId`, `choice`, and `promptLength` (`usage.prompt_tokens`
 * by default)
 * @returns one row for each generated token
 * @throws {DistillationError} `OUT_OF_RANGE` for an id or a log-probability out of range,
 *   `NOT_A_DISTRIBUTION` for a sum above 1, `EMPTY`, and for an option
 * @throws {TypeError} for a field that is missing or of a wrong type. The hint of a missing field
 *   names the option of the request that adds it
 *
 * @remarks The API does not document the temperature of its log-probabilities. Ask for
 *   `temperature: 1`, which is the temperature of the targets.
 *
 * @example
 * ```ts
 * import { readOpenAI } from 'knowledge-distillation/teachers';
 *
 * const vocabulary = new Map([['Hi', 3], [' you', 1], ['!', 2]]);
 * const yes = { token: 'Hi', bytes: [72, 105], logprob: -0.25 };
 * const other = { token: 'Hm', bytes: [72, 109], logprob: -2 };
 * const response = {
 *   choices: [{ logprobs: { content: [{ ...yes, top_logprobs: [yes, other] }] } }],
 *   usage: { prompt_tokens: 9 },
 * };
 * const { targets, tokens, studentRows } = readOpenAI(response, {
 *   columns: 4,
 *   tokenId: (bytes) => vocabulary.get(new TextDecoder().decode(bytes)),
 * });
 * console.log(targets.indices.join(' ')); // 3
 * console.log(tokens.join(' '), studentRows.join(' ')); // 3 8
 * ```
 */
export function readOpenAI(
  response: OpenAIResponse | OpenAIBatchLine,
  options: OpenAIOptions,
): TeacherReply {
  const operation = 'readOpenAI';
  const format = readOptions(operation, options, ['tokenId', 'promptLength', 'choice']);
  const { tokenId, promptLength, choice = 0 } = options;
  checkInteger(operation, 'choice', choice, 0);
  const reply = bodyOf(new ReplyNode(operation, response, 'response'));
  const content = findChoice(reply, choice).optional('logprobs').optional('content').items(ASK);
  const firstRow = lastPromptRow(promptLength, reply.optional('usage').optional('prompt_tokens'));
  return packReply(readScoredTokens(content, tokenId, format, ASK), firstRow, format);
}

/** Returns the reply inside a line of a batch, or the reply itself. */
function bodyOf(reply: ReplyNode): ReplyNode {
  return reply.field('response').isMissing && reply.field('custom_id').isMissing
    ? reply
    : reply.field('response').field('body');
}
