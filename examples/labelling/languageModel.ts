import { SparseTargets } from 'knowledge-distillation';
import {
  BadRequest,
  type Completion,
  type CompletionRequest,
  type PromptLogprob,
} from './completions.js';
import { type Corpus, makeCorpus, readBook } from './corpus.js';
import { TrigramModel } from './trigrams.js';

/** Name of the model in the server's answers and in the store. */
export const MODEL = 'moby-dick-trigrams';
/** Maximum number of log-probabilities per position, as `--max-logprobs` of vLLM. */
const MOST_LOGPROBS = 64;

/** The teacher: a word model, and its answers to requests. */
export class LanguageModel {
  readonly #words: readonly string[];
  readonly #model: TrigramModel;

  constructor({ words, read }: Corpus) {
    this.#words = words;
    this.#model = new TrigramModel(
      read.map(({ tokens }) => tokens),
      words.length,
    );
  }

  /** Trains a model on the book. */
  static ofBook(): LanguageModel {
    return new LanguageModel(makeCorpus(readBook()));
  }

  /**
   * Answers a request.
   * @param request - a {@link CompletionRequest}
   * @throws {BadRequest} if the request is invalid or not supported
   */
  answer(request: unknown): Completion {
    const { prompt, prompt_logprobs: k, return_token_ids } = this.#check(request);
    const logits = this.#model.logits(prompt);
    const likely = SparseTargets.topK(logits, Math.max(k, 1));
    const scored = prompt.slice(1).map((token, row) => {
      const values = logits.row(row);
      const indices = likely.indices.subarray(row * likely.values.columns).subarray(0, k);
      const others = indices.includes(token) ? [] : [token];
      const entries = [...indices, ...others].map((word, position) => [
        word,
        {
          logprob: values[word]!,
          rank: position < k ? position + 1 : rankOf(values, word),
          decoded_token: this.#words[word]!,
        },
      ]);
      return Object.fromEntries(entries) as Record<string, PromptLogprob>;
    });
    const next = likely.indices[(prompt.length - 1) * likely.values.columns]!;
    return {
      id: 'cmpl-0',
      object: 'text_completion',
      model: MODEL,
      choices: [
        {
          index: 0,
          text: this.#words[next]!,
          finish_reason: 'length',
          prompt_token_ids: return_token_ids ? prompt : null,
          prompt_logprobs: [null, ...scored],
        },
      ],
      usage: { prompt_tokens: prompt.length, completion_tokens: 1 },
    };
  }

  #check(request: unknown): CompletionRequest {
    const {
      model,
      prompt,
      max_tokens,
      prompt_logprobs: k,
      return_token_ids = false,
    } = (request ?? {}) as Partial<CompletionRequest>;
    const isToken = (token: unknown) =>
      Number.isInteger(token) && Number(token) >= 0 && Number(token) < this.#words.length;
    if (model !== MODEL) throw new BadRequest(`model must be "${MODEL}", got ${show(model)}`);
    if (!Array.isArray(prompt) || prompt.length === 0 || !prompt.every(isToken)) {
      throw new BadRequest(`prompt must be tokens, integers in [0, ${this.#words.length})`);
    }
    if (max_tokens !== 1) throw new BadRequest(`max_tokens must be 1, got ${show(max_tokens)}`);
    if (k === undefined || !Number.isInteger(k) || k < 0 || k > MOST_LOGPROBS) {
      throw new BadRequest(
        `prompt_logprobs must be an integer in [0, ${MOST_LOGPROBS}], got ${show(k)}`,
      );
    }
    return { model, prompt, max_tokens, prompt_logprobs: k, return_token_ids };
  }
}

/**
 * Rank of a word, 1 for the most likely one; of equally likely words, the first in the vocabulary
 * ranks first.
 */
function rankOf(values: Float32Array, word: number): number {
  const value = values[word]!;
  let rank = 1;
  for (let other = 0; other < values.length; other++) {
    if (values[other]! > value || (values[other] === value && other < word)) rank++;
  }
  return rank;
}

const show = (value: unknown): string => JSON.stringify(value) ?? 'nothing';
