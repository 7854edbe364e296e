import { describe, expect, expectTypeOf, test } from 'vitest';
import { Matrix, ResponseDistillationStrategy } from '../../../src/index.js';
import {
  readVLLM,
  type VLLMLogprob,
  type VLLMPromptLogprobs,
  type VLLMResponse,
} from '../../../src/teachers/readers/index.js';
import { refusal, wrong } from '../../support/refusal.js';

const columns = 10;

/** One position: scored tokens with log-probability and rank. */
function scored(...tokens: readonly [id: number, logprob: number, rank: number][]) {
  return Object.fromEntries(
    tokens.map(([id, logprob, rank]) => [id, { logprob, rank, decoded_token: `t${id}` }]),
  );
}

/** Tokens 5, 2, 7, 3 with the two most probable of each; token 7 has rank 6. */
const prompt = {
  prompt_token_ids: [5, 2, 7, 3],
  prompt_logprobs: [
    null,
    scored([2, -0.5, 1], [4, -1.5, 2]),
    scored([7, -5, 6], [2, -0.25, 1], [3, -2.5, 2]),
    scored([1, -1, 1], [3, -1.25, 2]),
  ],
};

/** A completion of one prompt, with a change at one position. */
function completion(position?: number, entries?: unknown): VLLMResponse {
  const prompt_logprobs: unknown[] = [...prompt.prompt_logprobs];
  if (position !== undefined) prompt_logprobs[position] = entries;
  return wrong({ choices: [{ ...prompt, prompt_logprobs }] });
}

function read(response: VLLMResponse, options = {}) {
  return readVLLM(response, { columns, ...options });
}

describe('readVLLM', () => {
  test.each([
    { error: { message: 'Requested prompt logprobs of 64', code: 400 } },
    { object: 'error', message: 'Requested prompt logprobs of 64' },
    { detail: 'Requested prompt logprobs of 64' },
  ])('forwards the error of a server: %o', (reply) => {
    expect(() => read(wrong(reply))).toThrow(
      'readVLLM: response must be an answer, got the error "Requested prompt logprobs of 64"; ' +
        'the server refused the request',
    );
    expect(refusal(() => read(wrong(reply)))).toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('reads a completion; a token outside of the k most probable is no target', () => {
    const { targets, tokens, studentRows } = read(completion());
    expect([...targets.indices]).toEqual([2, 4, 2, 3, 1, 3]);
    expect(targets.values.toRows()).toEqual([
      [-0.5, -1.5],
      [-0.25, -2.5],
      [-1, -1.25],
    ]);
    expect(targets).toMatchObject({ columns, temperature: 1, kind: 'logProbabilities' });
    expect([...tokens]).toEqual([2, 7, 3]);
    expect([...studentRows]).toEqual([0, 1, 2]);
    const rest = Math.log(1 - Math.exp(-0.25) - Math.exp(-2.5));
    expect(targets.logTail![1]).toBeCloseTo(rest, 6);
  });

  test('reads a chat completion', () => {
    expect(read({ ...prompt, choices: [] })).toEqual(read(completion()));
  });

  test('reads one of several choices', () => {
    const [choice] = completion().choices!;
    const response = { choices: [{ prompt_logprobs: null }, choice!] };
    expect(read(response, { choice: 1 })).toEqual(read(completion()));
  });

  test('refuses the option choice for a chat completion, which has one prompt', () => {
    expect(read({ ...prompt, choices: [] }, { choice: 0 })).toEqual(read(completion()));
    const error = refusal(() => read({ ...prompt, choices: [] }, { choice: 7 }));
    expect(error.message).toBe(
      'readVLLM: choice must be 0, as a chat completion has one prompt, got 7',
    );
  });

  test('reads the largest token ids, and refuses larger ones', () => {
    const of = (id: number): VLLMResponse => ({
      prompt_token_ids: [5, id],
      prompt_logprobs: [null, scored([id, -0.5, 1])],
    });
    const { targets, tokens } = read(of(2 ** 31 - 1), { columns: 2 ** 31 });
    expect([targets.indices[0], tokens[0]]).toEqual([2 ** 31 - 1, 2 ** 31 - 1]);
    expect(() => read(of(2 ** 31), { columns: 2 ** 31 })).toThrow(/must be .*token id/);
  });

  test('reads the completion after the prompt only', () => {
    const { targets, tokens, studentRows } = read(completion(), { promptLength: 3 });
    expect([...targets.indices]).toEqual([1, 3]);
    expect([...tokens]).toEqual([3]);
    expect([...studentRows]).toEqual([2]);
  });

  test('reads the tokens of the request', () => {
    const response = { choices: [{ prompt_logprobs: prompt.prompt_logprobs }] };
    const promptTokens = Int32Array.of(5, 2, 7, 3);
    expect(read(response, { promptTokens })).toEqual(read(completion()));
    const error = refusal(() => read(response));
    expect(error.message).toBe(
      'readVLLM: choices[0].prompt_token_ids must be an array, got undefined; ask for ' +
        'return_token_ids: true in the request, or pass promptTokens',
    );
    expect(refusal(() => read(response, { promptTokens: [5, 2, 6, 3] })).message).toBe(
      'readVLLM: promptTokens[2] must be a token that choices[0].prompt_logprobs[2] scores, got ' +
        '6; the server read another text',
    );
  });

  test('keeps k classes', () => {
    const { targets } = read(completion(), { k: 1 });
    expect([...targets.indices]).toEqual([2, 2, 1]);
    expect(targets.logTail![0]).toBeCloseTo(Math.log(1 - Math.exp(-0.5)), 6);
  });

  test('reads −9999 as −Infinity, and drops the class', () => {
    const { targets } = read(completion(1, scored([2, -0.5, 1], [4, -9999, 2])));
    expect([...targets.indices].slice(0, 2)).toEqual([2, -1]);
  });

  test('drops a token of rank k + 1, also one that ties with rank k', () => {
    for (const rank of [2, 3]) {
      const entries = scored([7, -2.5, rank], [2, -0.25, 1], [3, -2.5, 2]);
      expect(read(completion(2, entries))).toEqual(read(completion()));
    }
  });

  test('accepts positions whose ids differ, which TypeScript gives absent ids as undefined', () => {
    type Position = { 2: VLLMLogprob; 7?: undefined } | { 7: VLLMLogprob; 2?: undefined };
    expectTypeOf<[null, Position]>().toExtend<VLLMPromptLogprobs>();
  });

  test('returns targets that a strategy accepts', () => {
    const { targets, tokens } = read(completion());
    const strategy = new ResponseDistillationStrategy({ temperature: 1 });
    expect(strategy.computeLoss(Matrix.zeros(3, columns), targets, tokens)).toBeGreaterThan(0);
  });

  const place = 'choices[0].prompt_logprobs[2]';
  test.each<[string, unknown, string]>([
    ['null within', null, `${place} must be an object: only the first position is null, got null`],
    ['an array', [[7, 1]], `${place} must be an object, got an array`],
    ['a list of no token', {}, 'prompt_token_ids[2] must be a token that'],
    [
      'an id ≥ columns',
      { ...scored([7, -1, 1]), 10: {} },
      `${place}["10"] must have a token id in [0, 10) as its key, got "10"; columns is the size of the student's vocabulary`,
    ],
    [
      'a word',
      { ...scored([7, -1, 1]), the: {} },
      `${place}.the must have a token id in [0, 10) as its key, got "the"`,
    ],
    [
      'an id in another form',
      { ...scored([7, -1, 1]), '07': {} },
      `${place}["07"] must have a token id in [0, 10) as its key`,
    ],
    [
      'a positive log-probability',
      scored([7, 0.5, 1]),
      `${place}["7"].logprob must be a log-probability, at most 0, got 0.5`,
    ],
    ['NaN', scored([7, Number.NaN, 1]), `${place}["7"].logprob is NaN`],
    [
      'text',
      { 7: { logprob: '-1', rank: 1 } },
      `${place}["7"].logprob must be a log-probability, at most 0, got "-1"`,
    ],
    ['no rank', { 7: { logprob: -1 } }, `${place}["7"].rank must be an integer ≥ 1, got undefined`],
    ['a rank of 0', scored([7, -1, 0]), `${place}["7"].rank must be an integer ≥ 1, got 0`],
    [
      'a gap of ranks',
      scored([7, -1, 1], [3, -2, 3]),
      `${place}["3"] must have the rank that follows`,
    ],
    ['a rank twice', scored([7, -5, 9], [3, -1, 1], [4, -1, 1]), 'must have the rank that follows'],
    [
      'ranks upside down',
      scored([7, -2, 1], [3, -1, 2]),
      `${place}["3"] must not be more probable`,
    ],
    [
      'a sum above 1',
      scored([7, -0.1, 1], [3, -0.5, 2]),
      `${place} must hold probabilities that sum to at most 1 (±0.001), got 1.5`,
    ],
    [
      'another number of tokens',
      scored([7, -1, 1]),
      'choices[0].prompt_logprobs[1] has shape [2], expected [1] (as many tokens as at other positions)',
    ],
    [
      'no probability',
      scored([7, -9999, 1], [3, -9999, 2]),
      `${place} must give a token of the student a probability above 0`,
    ],
  ])('refuses %s', (_, entries, message) => {
    const error = refusal(() => read(completion(2, entries)));
    expect(error.message).toContain(message);
    expect(error.operation).toBe('readVLLM');
  });

  test.each<[string, unknown, object, string]>([
    ['nothing', undefined, {}, 'readVLLM: response must be an object, got undefined'],
    [
      'text',
      '{}',
      {},
      'readVLLM: response must be an object, got "{}"; pass what JSON.parse makes of it',
    ],
    [
      'a promise',
      Promise.resolve(prompt),
      {},
      'response must be parsed JSON, got an object of type Promise; await the promise',
    ],
    [
      'a response that is not read',
      new Response('{}'),
      {},
      'response must be parsed JSON, got an object of type Response; await the promise, or the json()',
    ],
    [
      'no choices',
      {},
      {},
      'readVLLM: choices must be an array, got undefined; ask for prompt_logprobs: k in the request',
    ],
    [
      'scores of the text alone',
      {
        ...prompt,
        prompt_logprobs: [null, scored([2, -2, 3]), scored([7, -5, 6]), scored([3, -1, 1])],
      },
      {},
      'prompt_logprobs must score tokens of rank 1, got the text alone; ask for prompt_logprobs: k',
    ],
    ['no choice', { choices: [] }, {}, 'choices must hold something, got an empty array'],
    [
      'a choice too far',
      { choices: [{}] },
      { choice: 1 },
      'choice must be below 1, the number of choices, got 1',
    ],
    [
      'no scores',
      { choices: [{}] },
      {},
      'choices[0].prompt_logprobs must be an array, got undefined; ask for prompt_logprobs: k in the request',
    ],
    [
      'an empty reply',
      { choices: [{ prompt_logprobs: [] }] },
      {},
      'choices[0].prompt_logprobs must hold something, got an empty array',
    ],
    [
      'one token',
      { prompt_logprobs: [null], prompt_token_ids: [5] },
      {},
      'prompt_logprobs must score a token after the first, got the first alone',
    ],
    [
      'a score of the first token',
      { ...prompt, prompt_logprobs: prompt.prompt_logprobs.slice(1), prompt_token_ids: [2, 7, 3] },
      {},
      'prompt_logprobs[0] must be null: nothing precedes the first token',
    ],
    [
      'other tokens',
      { ...prompt, prompt_token_ids: [5] },
      {},
      'prompt_token_ids has shape [1], expected [4] (one for each position)',
    ],
    [
      'a token ≥ columns',
      { ...prompt, prompt_token_ids: [5, 2, 10, 3] },
      {},
      'prompt_token_ids[2] must be a token id in [0, 10), got 10; columns is the size',
    ],
    ['a prompt of all tokens', prompt, { promptLength: 4 }, 'promptLength must be below 4'],
    [
      'a prompt of no token',
      prompt,
      { promptLength: 0 },
      'promptLength must be an integer ≥ 1, got 0',
    ],
    ['an unknown option', prompt, { topk: 2 }, 'unknown option "topk"'],
    ['k = 0', prompt, { k: 0 }, 'k must be an integer ≥ 1, got 0'],
  ])('refuses %s', (_, response, options, message) => {
    expect(refusal(() => read(wrong(response), options)).message).toContain(message);
  });
});
