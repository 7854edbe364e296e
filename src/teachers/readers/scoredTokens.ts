import { throwType } from '../../core/errors.js';
import { throwUnknownToken } from './completion.js';
import type { CompletionReaderOptions, Position, RowFormat } from './reply.js';
import { checkTokenId, type ReplyNode } from './replyNode.js';
import { readRow } from './row.js';

/** A token with its log-probability, in the format of OpenAI, Ollama and llama.cpp. */
export interface ScoredToken {
  readonly token: string;
  readonly logprob: number;
  /** The token in UTF-8. A token may hold a part of a character, which `token` cannot show. */
  readonly bytes?: readonly number[] | null | undefined;
  /** The token id; only llama.cpp gives it. */
  readonly id?: number | undefined;
}

/** A generated token, with the most probable tokens at its position. */
export interface GeneratedToken extends ScoredToken {
  readonly top_logprobs?: readonly ScoredToken[] | undefined;
}

/**
 * Returns the id of a token in the student's vocabulary.
 *
 * @param bytes - the token in UTF-8; computed from `token` if the reply has no bytes
 * @param token - the text of the token
 * @returns the id; undefined for a token that is not in the student's vocabulary
 */
export type TokenId = (bytes: Uint8Array, token: string) => number | undefined;

/** Options of the readers of replies without token ids. */
export interface TokenIdOptions extends CompletionReaderOptions {
  /**
   * Returns the id of a token. The probability of a token without an id joins the tail. The option
   * may be left out for a reply that has ids: a reply of llama.cpp, or of vLLM with
   * `return_tokens_as_token_ids: true`.
   */
  readonly tokenId?: TokenId | undefined;
}

/** How vLLM writes a token as its id. */
const TOKEN_ID = /^token_id:(\d+)$/;

/** Reads the tokens of a completion, each with the most probable tokens at its position. */
export function readScoredTokens(
  positions: readonly ReplyNode[],
  tokenId: TokenId | undefined,
  format: RowFormat,
  ask: string,
): Position[] {
  return positions.map((position) => {
    const candidates = position
      .field('top_logprobs')
      .items(ask)
      .map((node) => ({
        id: readId(node, tokenId, format.columns),
        logProbability: node.field('logprob').logProbability(),
        node,
      }));
    const token = readId(position, tokenId, format.columns) ?? throwUnknownToken(position);
    const hint = tokenId && 'tokenId gives two tokens one id: return undefined for one of them';
    return { token, row: readRow(position, candidates, format, hint) };
  });
}

/** Returns the id of a token; undefined if the token is not in the student's vocabulary. */
function readId(
  node: ReplyNode,
  tokenId: TokenId | undefined,
  columns: number,
): number | undefined {
  const { operation } = node;
  if (tokenId !== undefined && typeof tokenId !== 'function') {
    throwType(operation, 'tokenId', 'be a function', tokenId);
  }
  const ownId = node.field('id');
  if (!tokenId && !ownId.isMissing) return ownId.id(columns);
  const text = node.field('token');
  const token = text.text();
  if (tokenId) {
    const ownBytes = node.field('bytes');
    const bytes = ownBytes.isMissing ? new TextEncoder().encode(token) : ownBytes.bytes();
    return checkId(text, tokenId(bytes, token), columns);
  }
  const [, id] = TOKEN_ID.exec(token) ?? [];
  if (id !== undefined) return checkId(text, Number(id), columns);
  const hint =
    'the reply has no token ids: pass a function from the bytes of a token to its id, ' +
    'or ask vLLM for return_tokens_as_token_ids: true';
  throwType(operation, 'tokenId', 'be a function', undefined, hint);
}

function checkId(
  { operation, place }: ReplyNode,
  id: unknown,
  columns: number,
): number | undefined {
  if (id === undefined) return undefined;
  return checkTokenId(operation, `id of ${place}`, id, columns, ' or undefined');
}
