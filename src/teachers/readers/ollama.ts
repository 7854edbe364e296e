import { lastPromptRow } from './completion.js';
import { packReply, readOptions, type TeacherReply } from './reply.js';
import { ReplyNode } from './replyNode.js';
import { type GeneratedToken, readScoredTokens, type TokenIdOptions } from './scoredTokens.js';

/** The fields of a reply of `/api/generate` or `/api/chat` that {@link readOllama} reads. */
export interface OllamaResponse {
  /** The generated tokens with their candidates. */
  readonly logprobs?: readonly GeneratedToken[] | undefined;
  /** Number of tokens of the prompt. */
  readonly prompt_eval_count?: number | undefined;
}

const ASK = 'ask for stream: false, logprobs: true and top_logprobs: 20 in the request';

/**
 * Reads the log-probabilities of Ollama: at most 20 most probable tokens for each generated token.
 *
 * Row `promptLength − 1 + c` of the student predicts token c of the completion.
 *
 * Replies of Ollama have no token ids: `tokenId` looks up the bytes of each token in the student's
 * vocabulary.
 *
 * @param response - the parsed JSON of `/api/generate` or `/api/chat`, not streamed
 * @param options - `columns`, `k`, `tokenId`, and `promptLength` (`prompt_eval_count` by default)
 * @returns one row for each generated token
 * @throws {DistillationError} `OUT_OF_RANGE` for an id or a log-probability out of range,
 *   `NOT_A_DISTRIBUTION` for a sum above 1, `EMPTY`, and for an option
 * @throws {TypeError} for a field that is missing or of a wrong type. The hint of a missing field
 *   names the option of the request that adds it
 *
 * @remarks Ollama computes the log-probabilities from the logits before temperature and sampling:
 *   their temperature is 1.
 *
 * @example
 * ```ts
 * import { readOllama } from 'knowledge-distillation/teachers';
 *
 * const yes = { token: 'Hi', bytes: [72, 105], logprob: -0.25 };
 * const response = { logprobs: [{ ...yes, top_logprobs: [yes] }], prompt_eval_count: 9 };
 * const { tokens, studentRows } = readOllama(response, {
 *   columns: 4,
 *   tokenId: (_, token) => (token === 'Hi' ? 3 : undefined),
 * });
 * console.log(tokens.join(' '), studentRows.join(' ')); // 3 8
 * ```
 */
export function readOllama(response: OllamaResponse, options: TokenIdOptions): TeacherReply {
  const operation = 'readOllama';
  const format = readOptions(operation, options, ['tokenId', 'promptLength']);
  const { tokenId, promptLength } = options;
  const reply = new ReplyNode(operation, response, 'response');
  const content = reply.field('logprobs').items(ASK);
  const firstRow = lastPromptRow(promptLength, reply.field('prompt_eval_count'));
  return packReply(readScoredTokens(content, tokenId, format, ASK), firstRow, format);
}
