/** The fields of a request to vLLM's `POST /v1/completions` that scoring needs. */
export interface CompletionRequest {
  readonly model: string;
  readonly prompt: readonly number[];
  readonly max_tokens: number;
  readonly prompt_logprobs: number;
  /** Whether the answer says which tokens were read. */
  readonly return_token_ids: boolean;
}

/** The log-probability of one token at one position of the prompt. */
export interface PromptLogprob {
  readonly logprob: number;
  /** 1 for the most likely token. */
  readonly rank: number;
  readonly decoded_token: string;
}

/**
 * The request for log-probabilities of all tokens of a prompt. One more token is written: vLLM
 * writes at least one.
 */
export function scoringRequest(
  model: string,
  prompt: ArrayLike<number>,
  k: number,
): CompletionRequest {
  return {
    model,
    prompt: Array.from(prompt),
    max_tokens: 1,
    prompt_logprobs: k,
    return_token_ids: true,
  };
}

/** The answer in vLLM's form: the first token of a prompt has no log-probabilities. */
export interface Completion {
  readonly id: string;
  readonly object: 'text_completion';
  readonly model: string;
  readonly choices: readonly [
    {
      readonly index: 0;
      readonly text: string;
      readonly finish_reason: 'length';
      readonly prompt_token_ids: readonly number[] | null;
      readonly prompt_logprobs: readonly (Readonly<Record<string, PromptLogprob>> | null)[];
    },
  ];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

/** A request that cannot be answered however often it is sent. */
export class BadRequest extends Error {}
