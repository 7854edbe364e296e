import { refuse } from '../../core/errors.js';
import { checkSameLength, lastPromptRow } from './completion.js';
import { packReply, readOptions, type TeacherReply } from './reply.js';
import { ReplyNode } from './replyNode.js';
import { type GeneratedToken, readScoredTokens, type TokenIdOptions } from './scoredTokens.js';

/** The fields of a reply of llama-server's `/completion` that {@link readLlamaCpp} reads. */
export interface LlamaCppResponse {
  /** The generated tokens with their candidates. */
  readonly completion_probabilities?: readonly GeneratedToken[] | undefined;
  /** Number of tokens of the prompt. */
  readonly tokens_evaluated?: number | undefined;
  /** The ids of the generated tokens, if the request has `return_tokens: true`. */
  readonly tokens?: readonly number[] | undefined;
  /** Number of generated tokens. */
  readonly tokens_predicted?: number | undefined;
  /** Why the completion ended. The tokens of a stop word are generated, but not scored. */
  readonly stop_type?: string | undefined;
}

const ASK = 'ask for n_probs: k in the request, and not for post_sampling_probs';

/**
 * Reads the `completion_probabilities` of llama.cpp's server: the k most probable tokens, with
 * their ids, for each generated token.
 *
 * Row `promptLength − 1 + c` of the student predicts token c of the completion.
 *
 * The probabilities are the model's, before temperature and sampling. Probabilities after sampling
 * (`top_probs`, and `probs` of servers before December 2024) are refused, because temperature and
 * truncation have changed them.
 *
 * @param response - the parsed JSON of `/completion`, not streamed
 * @param options - `columns`, `k`, `promptLength` (`tokens_evaluated` by default), and `tokenId` if
 *   student and teacher have different vocabularies
 * @returns one row for each generated token
 * @throws {DistillationError} `OUT_OF_RANGE` for an id or a log-probability out of range and for a
 * token without a score, `SHAPE_MISMATCH` for rows of different sizes, `NOT_A_DISTRIBUTION` for a
 * sum above 1, `EMPTY`, and for an option
 * @throws {TypeError} for a field that is missing or of a wrong type. The hint of a missing field
 *   names the option of the request that adds it
 *
 * @remarks The server does not score a token that ends within a character. A reply with such a
 * token is refused. Ask for `return_tokens: true`: without it, not every such reply is recognized.
 *
 * @example
 * ```ts
 * import { readLlamaCpp } from 'knowledge-distillation/teachers';
 *
 * const yes = { id: 3, token: 'Hi', bytes: [72, 105], logprob: -0.25 };
 * const other = { id: 1, token: 'Hm', bytes: [72, 109], logprob: -2 };
 * const response = {
 *   completion_probabilities: [{ ...yes, top_logprobs: [yes, other] }],
 *   tokens_evaluated: 9,
 *   tokens: [3],
 * };
 * const { targets, tokens, studentRows } = readLlamaCpp(response, { columns: 4 });
 * console.log(targets.indices.join(' ')); // 3 1
 * console.log(tokens.join(' '), studentRows.join(' ')); // 3 8
 * ```
 */
export function readLlamaCpp(response: LlamaCppResponse, options: TokenIdOptions): TeacherReply {
  const operation = 'readLlamaCpp';
  const format = readOptions(operation, options, ['tokenId', 'promptLength']);
  const { tokenId, promptLength } = options;
  const reply = new ReplyNode(operation, response, 'response');
  const content = reply.field('completion_probabilities').items(ASK);
  const positions = readScoredTokens(content, tokenId, format, ASK);
  checkSameLength(
    content.map((position) => position.field('top_logprobs')),
    'as many tokens as at the first position',
  );
  checkTokens(reply, content);
  const firstRow = lastPromptRow(promptLength, reply.field('tokens_evaluated'));
  return packReply(positions, firstRow, format);
}

/** Throws if a generated token is not scored, as far as the reply can show it. */
function checkTokens(reply: ReplyNode, content: readonly ReplyNode[]): void {
  const { operation } = reply;
  const hint =
    'the server does not score a token that ends within a character: leave this reply out';
  const tokens = reply.field('tokens');
  if (!tokens.isMissing && tokens.list().length > 0) {
    for (const [c, position] of content.entries()) {
      const id = position.field('id');
      if (id.value === tokens.list()[c]) continue;
      const expected = `be ${tokens.item(c).place}, ${tokens.list()[c]}`;
      refuse('OUT_OF_RANGE', operation, id.place, expected, String(id.value), { hint });
    }
    return;
  }
  const predicted = reply.field('tokens_predicted');
  if (predicted.isMissing || reply.field('stop_type').value === 'word') return;
  const count = predicted.integer(0);
  if (count === content.length) return;
  const expected = `be ${content.length}, the number of scored tokens`;
  refuse('OUT_OF_RANGE', operation, predicted.place, expected, String(count), { hint });
}
