/** The fields of a request to vLLM's `POST /v1/completions` that scoring needs. */
export interface CompletionRequest {
  readonly model: string;
  readonly prompt: readonly number[];
  readonly max_tokens: number;
  readonly prompt_logprobs: number;
  /** True if the answer lists the tokens of the prompt. */
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
 * Creates a request for log-probabilities of all tokens of a prompt. It asks for one new token, the
 * minimum of vLLM.
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

/**
 * Creates an answer in vLLM's form, in which the first token of a prompt has no log-probabilities.
 */
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

/** An invalid request, which no repetition can make valid. */
export class BadRequest extends Error {}
