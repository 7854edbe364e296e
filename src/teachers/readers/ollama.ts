import { lastPromptRow } from './completion.js';
import { Part } from './part.js';
import { packReply, readOptions, type TeacherReply } from './reply.js';
import { type GeneratedToken, readScoredTokens, type TokenIdOptions } from './scoredTokens.js';

/** What {@link readOllama} reads of a reply of `/api/generate` or `/api/chat`. */
export interface OllamaResponse {
  readonly logprobs?: readonly GeneratedToken[] | undefined;
  readonly prompt_eval_count?: number | undefined;
}

const ASK = 'ask for stream: false, logprobs: true and top_logprobs: 20 in the request';

/**
 * Reads the log-probabilities of Ollama: the most probable tokens, at most 20, for each token that
 * was generated.
 *
 *     token c of the completion:   row promptLength − 1 + c of the student
 *
 * Ollama says no token ids: `tokenId` looks up the bytes of each token in the student's vocabulary.
 *
 * @param response - the parsed JSON of `/api/generate` or `/api/chat`, not streamed
 * @param options - `columns`, `k`, `tokenId`, `promptLength`. By default, `promptLength` is
 *   `prompt_eval_count`
 * @returns a row for each token that was generated
 * @throws {DistillationError} OUT_OF_RANGE for an id or a log-probability out of range,
 *   NOT_A_DISTRIBUTION for a sum above 1, EMPTY, and for an option
 * @throws {TypeError} for a field that is missing or of a wrong type; the hint names what to ask
 * for
 *
 * @remarks Ollama takes them from the logits, before temperature and sampling: they are at
 *   temperature 1.
 *
 * @example
 * import { readOllama } from 'knowledge-distillation/teachers';
 *
 * const yes = { token: 'Hi', bytes: [72, 105], logprob: -0.25 };
 * const response = { logprobs: [{ ...yes, top_logprobs: [yes] }], prompt_eval_count: 9 };
 * const { tokens, studentRows } = readOllama(response, {
 *   columns: 4,
 *   tokenId: (_, token) => (token === 'Hi' ? 3 : undefined),
 * });
 * console.log(tokens, studentRows); // 3 and 8
 */
export function readOllama(response: OllamaResponse, options: TokenIdOptions): TeacherReply {
  const operation = 'readOllama';
  const format = readOptions(operation, options, ['tokenId', 'promptLength']);
  const { tokenId, promptLength } = options;
  const reply = new Part(operation, response, 'response');
  const content = reply.field('logprobs').items(ASK);
  const firstRow = lastPromptRow(promptLength, reply.field('prompt_eval_count'));
  return packReply(readScoredTokens(content, tokenId, format, ASK), firstRow, format);
}
