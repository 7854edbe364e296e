import { throwType } from '../../core/errors.js';
import { throwUnknownToken } from './completion.js';
import { checkTokenId, type Part } from './part.js';
import type { CompletionReaderOptions, Position, RowFormat } from './reply.js';
import { readRow } from './row.js';

/** A token with its log-probability, as OpenAI, Ollama and llama.cpp write it. */
export interface ScoredToken {
  readonly token: string;
  readonly logprob: number;
  /** UTF-8 of the token. A token may hold a part of a character, which `token` cannot show. */
  readonly bytes?: readonly number[] | null | undefined;
  /** llama.cpp says it. */
  readonly id?: number | undefined;
}

/** A token that was generated, with the most probable tokens in its place. */
export interface GeneratedToken extends ScoredToken {
  readonly top_logprobs?: readonly ScoredToken[] | undefined;
}

/**
 * Gives the id that a token has in the student's vocabulary.
 *
 * @param bytes - UTF-8 of the token; that of `token`, where the reply has no bytes
 * @param token - the text of the token
 * @returns the id; undefined for a token that the student does not have
 */
export type TokenId = (bytes: Uint8Array, token: string) => number | undefined;

/** Options of the readers of replies without token ids. */
export interface TokenIdOptions extends CompletionReaderOptions {
  /**
   * Gives the id of a token. The probability of a token without an id joins the tail. May be left
   * out for a reply that has ids: of llama.cpp, or of vLLM with `return_tokens_as_token_ids: true`.
   */
  readonly tokenId?: TokenId | undefined;
}

const TOKEN_ID = /^token_id:(\d+)$/;

/** Reads the tokens of a completion, each with the most probable tokens in its place. */
export function readScoredTokens(
  positions: readonly Part[],
  tokenId: TokenId | undefined,
  format: RowFormat,
  ask: string,
): Position[] {
  return positions.map((position) => {
    const entries = position
      .field('top_logprobs')
      .items(ask)
      .map((part) => ({
        id: readId(part, tokenId, format.columns),
        logProbability: part.field('logprob').logProbability(),
        part,
      }));
    const token = readId(position, tokenId, format.columns) ?? throwUnknownToken(position);
    const hint = tokenId && 'tokenId gives two tokens one id: return undefined for one of them';
    return { token, row: readRow(position, entries, format, hint) };
  });
}

/** The id of a token; undefined if the student does not have it. */
function readId(part: Part, tokenId: TokenId | undefined, columns: number): number | undefined {
  const { operation } = part;
  if (tokenId !== undefined && typeof tokenId !== 'function') {
    throwType(operation, 'tokenId', 'be a function', tokenId);
  }
  const said = part.field('id');
  if (!tokenId && !said.isMissing) return said.id(columns);
  const text = part.field('token');
  const token = text.text();
  if (tokenId) {
    const given = part.field('bytes');
    const bytes = given.isMissing ? new TextEncoder().encode(token) : given.bytes();
    return checkId(text, tokenId(bytes, token), columns);
  }
  const [, id] = TOKEN_ID.exec(token) ?? [];
  if (id !== undefined) return checkId(text, Number(id), columns);
  const hint =
    'the reply has no token ids: pass a function from the bytes of a token to its id, ' +
    'or ask vLLM for return_tokens_as_token_ids: true';
  throwType(operation, 'tokenId', 'be a function', undefined, hint);
}

function checkId({ operation, place }: Part, id: unknown, columns: number): number | undefined {
  if (id === undefined) return undefined;
  return checkTokenId(operation, `id of ${place}`, id, columns, ' or undefined');
}
