import { refuse } from '../../core/errors.js';
import { checkSameLength, lastPromptRow } from './completion.js';
import { Part } from './part.js';
import { packReply, readOptions, type TeacherReply } from './reply.js';
import { type GeneratedToken, readScoredTokens, type TokenIdOptions } from './scoredTokens.js';

/** What {@link readLlamaCpp} reads of a reply of llama-server's `/completion`. */
export interface LlamaCppResponse {
  readonly completion_probabilities?: readonly GeneratedToken[] | undefined;
  /** Number of tokens of the prompt. */
  readonly tokens_evaluated?: number | undefined;
  /** The tokens that were generated, if the request says `return_tokens: true`. */
  readonly tokens?: readonly number[] | undefined;
  /** Number of the tokens that were generated. */
  readonly tokens_predicted?: number | undefined;
  /** What ended the completion; tokens of a stop word are generated, but not scored. */
  readonly stop_type?: string | undefined;
}

const ASK = 'ask for n_probs: k in the request, and not for post_sampling_probs';

/**
 * Reads the `completion_probabilities` of llama.cpp's server: the k most probable tokens, with
 * their ids, for each token that was generated.
 *
 *     token c of the completion:   row promptLength − 1 + c of the student
 *
 * The probabilities are those of the model, before temperature and sampling. Those after sampling
 * (`top_probs`, and `probs` of servers before December 2024) are refused: temperature and
 * truncation have changed them.
 *
 * @param response - the parsed JSON of `/completion`, not streamed
 * @param options - `columns`, `k`, `promptLength`; and `tokenId`, for a student whose vocabulary is
 *   not that of the teacher. By default, `promptLength` is `tokens_evaluated`
 * @returns a row for each token that was generated
 * @throws {DistillationError} OUT_OF_RANGE for an id or a log-probability out of range and for a
 *   token without a score, SHAPE_MISMATCH for rows of different sizes, NOT_A_DISTRIBUTION for a sum
 *   above 1, EMPTY, and for an option
 * @throws {TypeError} for a field that is missing or of a wrong type; the hint names what to ask
 * for
 *
 * @remarks The server does not score a token that ends within a character: a reply with such a
 *   token is refused. Ask for `return_tokens: true`, so that it is found for certain.
 *
 * @example
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
 * console.log(targets.indices, tokens, studentRows); // 3, 1 and 3 and 8
 */
export function readLlamaCpp(response: LlamaCppResponse, options: TokenIdOptions): TeacherReply {
  const operation = 'readLlamaCpp';
  const format = readOptions(operation, options, ['tokenId', 'promptLength']);
  const { tokenId, promptLength } = options;
  const reply = new Part(operation, response, 'response');
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

/** Throws if tokens were generated that are not scored, as far as the reply says. */
function checkTokens(reply: Part, content: readonly Part[]): void {
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
