// Replies as the servers write them, which the tests of each reader read or change. All servers
// scored the same text: vLLM with prompt_logprobs: 2 and return_token_ids: true, SGLang with
// top_logprobs_num: 2 and logprob_start_len: 1, llama-server with n_probs: 2 and return_tokens:
// true, OpenAI and Ollama with top_logprobs: 2, and TRL with top_logprobs: 2 for two sequences, as
// arrays of numpy and as plain lists.

import replies from './replies.json' with { type: 'json' };

export const vllm: typeof replies.vllm = replies.vllm;
export const sglang: typeof replies.sglang = replies.sglang;
export const llamaCpp: typeof replies.llamaCpp = replies.llamaCpp;
export const openAI: typeof replies.openAI = replies.openAI;
export const ollama: typeof replies.ollama = replies.ollama;
export const trl: typeof replies.trl = replies.trl;
export const trlLists: typeof replies.trlLists = replies.trlLists;

const words = ['zero', ' one', ' two', ' three', ' four', ' five', ' six', ' seven'];

/** Returns the id of a word in the tokenizer's vocabulary; other tokens have none. */
export function tokenId(bytes: Uint8Array): number | undefined {
  const id = words.indexOf(new TextDecoder().decode(bytes));
  return id < 0 ? undefined : id;
}
