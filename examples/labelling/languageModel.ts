import { SparseTargets } from 'knowledge-distillation';
import { type Corpus, makeCorpus, readBook } from './corpus.js';
import { TrigramModel } from './trigrams.js';

/** The name under which the server serves the model, and that the store keeps. */
export const MODEL = 'moby-dick-trigrams';
/** Most log-probabilities of a position that the server gives, as `--max-logprobs` of vLLM. */
export const MOST_LOGPROBS = 64;

/** The fields of a request to `POST /v1/completions` that this server reads. */
export interface CompletionRequest {
  readonly model: string;
  readonly prompt: readonly number[];
  readonly max_tokens: number;
  readonly prompt_logprobs: number;
}

/** What is said of one token at one position of the prompt. */
interface PromptLogprob {
  readonly logprob: number;
  /** 1 for the most likely token. */
  readonly rank: number;
  readonly decoded_token: string;
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
      readonly prompt_logprobs: readonly (Readonly<Record<string, PromptLogprob>> | null)[];
    },
  ];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

/** A request that cannot be answered however often it is sent. */
export class BadRequest extends Error {}

/** The teacher: a model of words, and how it answers a request. */
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

  /** The model of the book, which it reads first. */
  static ofBook(): LanguageModel {
    return new LanguageModel(makeCorpus(readBook()));
  }

  /** @throws {BadRequest} for what the server of the example does not know */
  answer(request: unknown): Completion {
    const { prompt, prompt_logprobs: k } = this.#check(request);
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
          prompt_logprobs: [null, ...scored],
        },
      ],
      usage: { prompt_tokens: prompt.length, completion_tokens: 1 },
    };
  }

  #check(request: unknown): CompletionRequest {
    const { model, prompt, max_tokens, prompt_logprobs } = (request ??
      {}) as Partial<CompletionRequest>;
    const isToken = (token: unknown) =>
      Number.isInteger(token) && Number(token) >= 0 && Number(token) < this.#words.length;
    if (model !== MODEL) throw new BadRequest(`model must be "${MODEL}", got ${show(model)}`);
    if (!Array.isArray(prompt) || prompt.length === 0 || !prompt.every(isToken)) {
      throw new BadRequest(`prompt must be tokens, integers in [0, ${this.#words.length})`);
    }
    if (max_tokens !== 1) throw new BadRequest(`max_tokens must be 1, got ${show(max_tokens)}`);
    const k = prompt_logprobs;
    if (k === undefined || !Number.isInteger(k) || k < 0 || k > MOST_LOGPROBS) {
      throw new BadRequest(
        `prompt_logprobs must be an integer in [0, ${MOST_LOGPROBS}], got ${show(k)}`,
      );
    }
    return { model, prompt, max_tokens, prompt_logprobs: k };
  }
}

/** 1 for the most likely word; of equally likely ones the first is before the others. */
function rankOf(values: Float32Array, word: number): number {
  const value = values[word]!;
  let rank = 1;
  for (let other = 0; other < values.length; other++) {
    if (values[other]! > value || (values[other] === value && other < word)) rank++;
  }
  return rank;
}

const show = (value: unknown): string => JSON.stringify(value) ?? 'nothing';
