import { describe, expect, test } from 'vitest';
import {
  readLlamaCpp,
  readOllama,
  readOpenAI,
  readSGLang,
} from '../../../src/teachers/readers/index.js';
import { refusal, wrong } from '../../support/refusal.js';
import { llamaCpp, ollama, openAI, sglang, tokenId } from './payloads.js';

const columns = 8;

/** Copies a payload with other fields, given by paths such as `choices.0.logprobs`. */
function changed<T>(payload: T, path: string, value: unknown): T {
  const copy = structuredClone(payload);
  const keys = path.split('.');
  const last = keys.pop()!;
  const holder = keys.reduce(
    (part, key) => wrong<Record<string, unknown>>(part[key]),
    wrong<Record<string, unknown>>(copy),
  );
  holder[last] = value;
  return copy;
}

describe('readSGLang', () => {
  const read = (reply: unknown, options = {}) => readSGLang(wrong(reply), { columns, ...options });
  const { input_top_logprobs: _, input_token_logprobs: __, ...output } = sglang.meta_info;

  test('reads the completion if the prompt is not scored', () => {
    const expected = read(sglang, { part: 'output' });
    expect(read({ meta_info: output })).toEqual(expected);
    const first = { input_top_logprobs: [null], input_token_logprobs: [[null, 5, null]] };
    expect(read({ meta_info: { ...output, ...first } })).toEqual(expected);
  });

  test('reads a prompt whose length the reply does not give', () => {
    const { prompt_tokens: ___, ...info } = output;
    const { studentRows } = read({ meta_info: info }, { promptLength: 3 });
    expect([...studentRows]).toEqual([2, 3]);
    expect(refusal(() => read({ meta_info: info })).message).toBe(
      'readSGLang: promptLength must be an integer ≥ 1, got undefined; pass the number of tokens ' +
        'of the prompt: the reply has no meta_info.prompt_tokens',
    );
  });

  test.each<[string, string, unknown, string]>([
    [
      'null within',
      'meta_info.input_top_logprobs.2',
      null,
      'meta_info.input_top_logprobs[2] must be an array, got null',
    ],
    [
      'ragged rows',
      'meta_info.input_top_logprobs.2',
      [[-1, 2, null]],
      'meta_info.input_top_logprobs[2] has shape [1], expected [2] (as many tokens as at the first position)',
    ],
    [
      'a token twice',
      'meta_info.input_top_logprobs.2.1.1',
      2,
      'meta_info.input_top_logprobs[2] must hold each token once, got 2 again in meta_info.input_top_logprobs[2][1]',
    ],
    [
      'an id ≥ columns',
      'meta_info.input_top_logprobs.2.1.1',
      8,
      'meta_info.input_top_logprobs[2][1][1] must be a token id in [0, 8), got 8; columns is',
    ],
    [
      'a negative id',
      'meta_info.input_token_logprobs.2.1',
      -1,
      'meta_info.input_token_logprobs[2][1] must be a token id in [0, 8), got -1',
    ],
    [
      'a log-probability of null',
      'meta_info.input_top_logprobs.1.0.0',
      null,
      'meta_info.input_top_logprobs[1][0][0] must be a log-probability, at most 0, got null',
    ],
    ['a positive one', 'meta_info.input_top_logprobs.1.0.0', 0.5, 'got 0.5'],
    [
      'fewer tokens',
      'meta_info.input_token_logprobs',
      [[null, 5]],
      'meta_info.input_token_logprobs has shape [1], expected [4] (one for each of the input_top_logprobs)',
    ],
    [
      'no tokens',
      'meta_info.input_token_logprobs',
      undefined,
      'meta_info.input_token_logprobs must be an array, got undefined; ask for return_logprob: true',
    ],
    [
      'a score of the first token',
      'meta_info.input_top_logprobs.0',
      [[-1, 2]],
      'meta_info.input_top_logprobs[0] must be null: nothing precedes the first token',
    ],
    [
      'a prompt shorter than its scores',
      'meta_info.prompt_tokens',
      3,
      'meta_info.input_top_logprobs has shape [4], expected [3] (at most one for each of the prompt_tokens)',
    ],
    [
      'a length that is none',
      'meta_info.prompt_tokens',
      '5',
      'meta_info.prompt_tokens must be an integer ≥ 1, got "5"',
    ],
    [
      'no meta_info',
      'meta_info',
      undefined,
      'readSGLang: meta_info must be an object, got undefined',
    ],
  ])('refuses %s', (_, path, value, message) => {
    expect(refusal(() => read(changed(sglang, path, value))).message).toContain(message);
  });

  test('refuses a reply without scores, and names the request that asks for them', () => {
    const hint =
      'meta_info.input_top_logprobs must be an array, got undefined; ask for return_logprob: true ' +
      'and top_logprobs_num: k in the request, with logprob_start_len: 0';
    expect(refusal(() => read({ meta_info: output }, { part: 'input' })).message).toContain(hint);
    const part = 'part must be one of ';
    expect(refusal(() => read(sglang, { part: 'both' })).message).toContain(part);
    const rows = 'promptLength must be in [2, 5), tokens before one that is scored, got 1';
    expect(refusal(() => read(sglang, { promptLength: 1 })).message).toContain(rows);
    expect(refusal(() => read([sglang])).message).toBe(
      'readSGLang: response must be an object, got an array; pass each of its items',
    );
  });
});

describe('readLlamaCpp', () => {
  const read = (reply: unknown, options = {}) =>
    readLlamaCpp(wrong(reply), { columns, ...options });

  test('reads the lowest float32 as −Infinity', () => {
    const lowest = -3.4028234663852886e38;
    const path = 'completion_probabilities.0.top_logprobs.1.logprob';
    const { targets } = read(changed(llamaCpp, path, lowest));
    expect([...targets.indices]).toEqual([2, -1, 2, 3]);
  });

  test('maps tokens to a student with another vocabulary by their bytes', () => {
    const other = (bytes: Uint8Array) => 7 - tokenId(bytes)!;
    const { targets, tokens } = read(llamaCpp, { tokenId: other });
    expect([...tokens]).toEqual([5, 0]);
    expect([...targets.indices]).toEqual([5, 3, 5, 4]);
  });

  test('skips the tokens of a stop word, which have no scores', () => {
    const stopped = { ...llamaCpp, tokens: [], tokens_predicted: 4, stop_type: 'word' };
    expect(read(stopped)).toEqual(read(llamaCpp));
    expect(read({ ...stopped, tokens: [2, 7, 1, 1] })).toEqual(read(llamaCpp));
  });

  test.each<[string, string, unknown, string]>([
    [
      'scores after sampling',
      'completion_probabilities.0',
      { id: 2, prob: 0.5, top_probs: [] },
      'completion_probabilities[0].top_logprobs must be an array, got undefined; ask for n_probs: k in the request, and not for post_sampling_probs',
    ],
    [
      'old scores',
      'completion_probabilities.0',
      { content: ' two', probs: [{ tok_str: ' two', prob: 0.5 }] },
      'and not for post_sampling_probs',
    ],
    [
      'no scores',
      'completion_probabilities',
      undefined,
      'completion_probabilities must be an array, got undefined; ask for n_probs: k',
    ],
    [
      'an empty reply',
      'completion_probabilities',
      [],
      'completion_probabilities must hold something, got an empty array',
    ],
    [
      'a token without a score',
      'tokens',
      [2, 1, 7],
      'completion_probabilities[1].id must be tokens[1], 1, got 7; the server does not score a token that ends within a character: leave this reply out',
    ],
    [
      'more scores than tokens',
      'tokens',
      [2],
      'completion_probabilities[1].id must be tokens[1], undefined, got 7',
    ],
    [
      'ragged rows',
      'completion_probabilities.1.top_logprobs',
      [{ id: 1, logprob: -1 }],
      'completion_probabilities[1].top_logprobs has shape [1], expected [2]',
    ],
    [
      'an id that is none',
      'completion_probabilities.1.id',
      1.5,
      'completion_probabilities[1].id must be a token id in [0, 8), got 1.5',
    ],
    [
      'no length',
      'tokens_evaluated',
      undefined,
      'promptLength must be an integer ≥ 1, got undefined',
    ],
    ['no prompt', 'tokens_evaluated', 0, 'tokens_evaluated must be an integer ≥ 1, got 0'],
  ])('refuses %s', (_, path, value, message) => {
    expect(refusal(() => read(changed(llamaCpp, path, value))).message).toContain(message);
  });

  test('detects a token without a score by the number of scores', () => {
    const reply = { ...llamaCpp, tokens: [], tokens_predicted: 3 };
    expect(refusal(() => read(reply)).message).toContain(
      'tokens_predicted must be 2, the number of scored tokens, got 3; the server does not score',
    );
  });
});

describe('readOpenAI', () => {
  const options = { columns, tokenId };
  const read = (reply: unknown, more = {}) => readOpenAI(wrong(reply), { ...options, ...more });

  test('reads a line of a batch', () => {
    const line = { custom_id: 'a', response: { status_code: 200, body: openAI }, error: null };
    expect(read(line)).toEqual(read(openAI));
    const failed = { custom_id: 'a', response: null, error: { message: 'expired' } };
    expect(refusal(() => read(failed)).message).toBe(
      'readOpenAI: response must be an answer, got the error "expired"; the server refused the request',
    );
  });

  test("adds the probability of a token outside of the student's vocabulary to the tail", () => {
    const { targets } = read(openAI);
    expect(targets.logTail![0]).toBeCloseTo(Math.log(1 - Math.exp(-0.5)), 6);
  });

  test('reads the bytes, or the text of a token without bytes', () => {
    const path = 'choices.0.logprobs.content.0.top_logprobs.0.bytes';
    expect(read(changed(openAI, path, null))).toEqual(read(openAI));
    const part = changed(openAI, 'choices.0.logprobs.content.0.top_logprobs.1.bytes', [240, 159]);
    const seen: [number[], string][] = [];
    read(part, {
      tokenId: (bytes: Uint8Array, token: string) => {
        seen.push([[...bytes], token]);
        return tokenId(bytes);
      },
    });
    expect(seen).toContainEqual([[240, 159], 'Ha']);
  });

  test('reads the ids in the reply', () => {
    const id = (token: number, logprob: number) => ({ token: `token_id:${token}`, logprob });
    const content = [{ ...id(5, -1), top_logprobs: [id(5, -1), id(6, -2)] }];
    const reply = { choices: [{ logprobs: { content } }] };
    const { targets, tokens } = readOpenAI(reply, { columns, promptLength: 4 });
    expect([...targets.indices, ...tokens]).toEqual([5, 6, 5]);
    const named = { choices: [{ logprobs: { content: llamaCpp.completion_probabilities } }] };
    const llama = readOpenAI(wrong(named), { columns, promptLength: 6 });
    expect(llama).toEqual(readLlamaCpp(llamaCpp, { columns }));
  });

  test.each<[string, string, unknown, string]>([
    [
      'no scores',
      'choices.0.logprobs',
      null,
      'choices[0].logprobs.content must be an array, got undefined; ask for logprobs: true and top_logprobs: 20',
    ],
    [
      'no alternatives',
      'choices.0.logprobs.content.0.top_logprobs',
      [],
      'choices[0].logprobs.content[0].top_logprobs must hold something, got an empty array; ask for',
    ],
    [
      'a generated token that the student does not have',
      'choices.0.logprobs.content.0.bytes',
      [72, 97],
      'choices[0].logprobs.content[0] must be a token of the student, got none; tokenId returned undefined',
    ],
    [
      'a byte that is none',
      'choices.0.logprobs.content.0.bytes',
      [256],
      'choices[0].logprobs.content[0].bytes[0] must be a byte, got 256',
    ],
    [
      'a text that is none',
      'choices.0.logprobs.content.0.token',
      5,
      'choices[0].logprobs.content[0].token must be a string, got 5',
    ],
    [
      'two tokens of one id',
      'choices.0.logprobs.content.0.top_logprobs.1.bytes',
      [32, 116, 119, 111],
      'must hold each token once, got 2 again in choices[0].logprobs.content[0].top_logprobs[1]; tokenId gives two tokens one id',
    ],
    [
      'nothing that the student has',
      'choices.0.logprobs.content.0.top_logprobs.0.bytes',
      [1],
      'must give a token of the student a probability above 0',
    ],
    [
      'a sum above 1',
      'choices.0.logprobs.content.0.top_logprobs.1.logprob',
      -0.1,
      'choices[0].logprobs.content[0] must hold probabilities that sum to at most 1 (±0.001)',
    ],
    ['no usage', 'usage', undefined, 'the reply has no usage.prompt_tokens'],
    ['no choices', 'choices', [], 'choices must hold something'],
  ])('refuses %s', (_, path, value, message) => {
    expect(refusal(() => read(changed(openAI, path, value))).message).toContain(message);
  });

  test.each<[string, object, string]>([
    [
      'no tokenId',
      { tokenId: undefined },
      'tokenId must be a function, got undefined; the reply has no token ids: pass a function',
    ],
    [
      'one that is no function',
      { tokenId: new Map() },
      'tokenId must be a function, got an object of type Map',
    ],
    [
      'an id that is no number',
      { tokenId: () => '2' },
      'id of choices[0].logprobs.content[0].top_logprobs[0].token must be a token id in [0, 8) or undefined, got "2"',
    ],
    ['an id ≥ columns', { tokenId: () => 8 }, 'or undefined, got 8'],
    ['another choice', { choice: 1 }, 'choice must be below 1, the number of choices, got 1'],
  ])('refuses %s', (_, more, message) => {
    expect(refusal(() => read(openAI, more)).message).toContain(message);
  });
});

describe('readOllama', () => {
  const read = (reply: unknown) => readOllama(wrong(reply), { columns, tokenId });

  test('accepts tokens without bytes', () => {
    const reply = changed(ollama, 'logprobs.0.bytes', undefined);
    expect(read(reply)).toEqual(read(ollama));
  });

  test.each<[string, string, unknown, string]>([
    [
      'no scores',
      'logprobs',
      undefined,
      'readOllama: logprobs must be an array, got undefined; ask for stream: false, logprobs: true and top_logprobs: 20',
    ],
    [
      'no alternatives',
      'logprobs.1.top_logprobs',
      undefined,
      'logprobs[1].top_logprobs must be an array, got undefined; ask for',
    ],
    [
      'NaN',
      'logprobs.1.top_logprobs.0.logprob',
      Number.NaN,
      'logprobs[1].top_logprobs[0].logprob is NaN',
    ],
    ['no length', 'prompt_eval_count', undefined, 'the reply has no prompt_eval_count'],
  ])('refuses %s', (_, path, value, message) => {
    expect(refusal(() => read(changed(ollama, path, value))).message).toContain(message);
  });
});
