// Replies as the servers write them: what the tests of each reader read, or change. The same text
// was scored by all: vLLM has prompt_logprobs: 2 and return_token_ids: true, SGLang
// top_logprobs_num: 2 and logprob_start_len: 1, llama-server n_probs: 2 and return_tokens: true,
// OpenAI and Ollama top_logprobs: 2, and TRL top_logprobs: 2 with two sequences, as numpy encodes
// them and as plain lists.

import replies from './replies.json' with { type: 'json' };

export const vllm: typeof replies.vllm = replies.vllm;
export const sglang: typeof replies.sglang = replies.sglang;
export const llamaCpp: typeof replies.llamaCpp = replies.llamaCpp;
export const openAI: typeof replies.openAI = replies.openAI;
export const ollama: typeof replies.ollama = replies.ollama;
export const trl: typeof replies.trl = replies.trl;
export const trlLists: typeof replies.trlLists = replies.trlLists;

const words = ['zero', ' one', ' two', ' three', ' four', ' five', ' six', ' seven'];

/** The id of a word, as a tokenizer would know it; tokens that are no word have none. */
export function tokenId(bytes: Uint8Array): number | undefined {
  const id = words.indexOf(new TextDecoder().decode(bytes));
  return id < 0 ? undefined : id;
}
