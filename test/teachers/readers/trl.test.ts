import { describe, expect, test } from 'vitest';
import { readTRL, type TRLOptions, type TRLResponse } from '../../../src/teachers/readers/index.js';
import { refusal, wrong } from '../../support/refusal.js';
import { trl, trlLists } from './payloads.js';

const columns = 8;
const promptLengths = [4, 6];
const completions = [[2, 7], [3]];

function read(response: TRLResponse, more: Partial<TRLOptions> = {}) {
  return readTRL(response, { columns, promptLengths, ...more });
}

/** Encodes 4-byte numbers in base64. */
function base64(numbers: Float32Array | Int32Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(numbers.buffer)));
}

describe('readTRL', () => {
  test('reads arrays and lists of the same reply alike', () => {
    expect(read(trlLists, { completions })).toEqual(read(trl));
    expect(read(trl, { completions })).toEqual(read(trl));
    const actual_token_ids = [[[2], [7]], [[3]]];
    expect(read({ ...trlLists, actual_token_ids })).toEqual(read(trl));
  });

  test('keeps k classes', () => {
    expect([...read(trl, { k: 1 })[0]!.targets.indices]).toEqual([2, 2]);
  });

  test('skips the padding of arrays', () => {
    const logprobs_b64 = base64(Float32Array.of(-0.5, -Infinity, -1, -2, -1, -1.25, 0, 0));
    const token_ids_b64 = base64(Int32Array.of(0, 0, 1, 2, 1, 3, 0, 0));
    const [first] = read({ ...trl, logprobs_b64, token_ids_b64 });
    expect([...first!.targets.indices]).toEqual([0, -1, 1, 2]);
  });

  const binary = 'ask for response_format: "binary"';
  test.each<[string, object, string]>([
    [
      'text that is cut off',
      { logprobs_b64: trl.logprobs_b64.slice(0, -3) },
      'logprobs_b64 must be base64, in full, got 41 characters',
    ],
    [
      'text that is none',
      { token_ids_b64: '????' },
      'token_ids_b64 must be base64, in full, got 4 characters',
    ],
    [
      'fewer bytes',
      { logprobs_b64: trl.logprobs_b64.slice(0, -4) },
      'logprobs_b64 has shape [30], expected [32] (bytes of float32 of shape [2, 2, 2])',
    ],
    ['another shape', { shape: [2, 2, 3] }, 'logprobs_b64 has shape [32], expected [48]'],
    [
      'a shape of two sizes',
      { shape: [2, 4] },
      'shape has shape [2], expected [3] (batch, completion, k)',
    ],
    ['a size that is none', { shape: [2, 2, -2] }, 'shape[2] must be an integer ≥ 1, got -2'],
    ['no shape', { shape: null }, `shape must be an array, got null; ${binary}`],
    [
      'no lengths',
      { completion_lengths: null },
      `completion_lengths must be an array, got null; ${binary}`,
    ],
    [
      'fewer lengths',
      { completion_lengths: [2] },
      'completion_lengths has shape [1], expected [2] (one for each sequence)',
    ],
    [
      'a length above the shape',
      { completion_lengths: [2, 3] },
      'completion_lengths[1] must be at most 2, the positions of the shape, got 3',
    ],
    [
      'an empty completion',
      { completion_lengths: [2, 0] },
      'completion_lengths[1] must be an integer ≥ 1, got 0; the request has a sequence without a completion',
    ],
    [
      'padding as a position',
      { completion_lengths: [2, 2] },
      'logprobs_b64[1][1] must give a token of the student a probability above 0, got none',
    ],
    [
      'no tokens',
      { actual_token_ids_b64: null },
      `actual_token_ids_b64 must be a string, got null; ${binary}`,
    ],
    [
      'an id ≥ columns',
      { token_ids_b64: base64(Int32Array.of(2, 4, 2, 8, 1, 3, 0, 0)) },
      'token_ids_b64[0][1][1] must be a token id in [0, 8), got 8',
    ],
    [
      'NaN',
      { logprobs_b64: base64(Float32Array.of(-1, Number.NaN, 0, 0, 0, 0, 0, 0)) },
      'logprobs_b64[0][0][1] is NaN',
    ],
    [
      'a positive log-probability',
      { logprobs_b64: base64(Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0)) },
      'logprobs_b64[0][0][0] must be a log-probability, at most 0, got 1',
    ],
  ])('refuses %s', (_, change, message) => {
    expect(refusal(() => read({ ...trl, ...change })).message).toContain(`readTRL: ${message}`);
  });

  test.each<[string, object, string]>([
    [
      'no lists',
      { logprobs: null },
      `logprobs must be an array, got null; ${binary}, or pass the parsed JSON`,
    ],
    ['no ids', { logprob_token_ids: null }, 'logprob_token_ids must be an array, got null'],
    [
      'fewer ids',
      { logprob_token_ids: [[[2, 4], [2]], [[1, 3]]] },
      'logprob_token_ids[0][1] has shape [1], expected [3] (one for each of the log-probabilities)',
    ],
    [
      'NaN, which is null',
      {
        logprobs: [
          [
            [-0.5, null],
            [-0.25, -2.5, -5],
          ],
          [[-1, -1.25]],
        ],
      },
      'logprobs[0][0][1] must be a log-probability, at most 0, got null',
    ],
    [
      'a position without scores',
      { logprobs: [[[], [-0.25, -2.5, -5]], [[-1, -1.25]]] },
      'logprobs[0][0] must hold something, got an empty array',
    ],
    [
      'a third token that does not stand there',
      {
        logprob_token_ids: [
          [
            [2, 4],
            [2, 3, 6],
          ],
          [[1, 3]],
        ],
      },
      'logprobs[0][1] has shape [3], expected [2] (as many tokens as at other positions)',
    ],
  ])('refuses %s', (_, change, message) => {
    const call = () => read(wrong({ ...trlLists, ...change }), { completions });
    expect(refusal(call).message).toContain(`readTRL: ${message}`);
  });

  test.each<[string, object, string]>([
    [
      'no tokens',
      {},
      `actual_token_ids must be an array, got undefined; ${binary}, or pass completions`,
    ],
    ['fewer tokens', { completions: [[2], [3]] }, 'completions[0] has shape [1], expected [2]'],
    [
      'a token ≥ columns',
      { completions: [[2, 8], [3]] },
      'completions[0][1] must be a token id in [0, 8), got 8',
    ],
    [
      'fewer prompts',
      { completions, promptLengths: [4] },
      'promptLengths has shape [1], expected [2]',
    ],
    [
      'an empty prompt',
      { completions, promptLengths: [4, 0] },
      'promptLengths[1] must be an integer ≥ 1, got 0',
    ],
    [
      'no prompts',
      { completions, promptLengths: undefined },
      'promptLengths must be an array, got undefined',
    ],
  ])('refuses %s', (_, options, message) => {
    expect(refusal(() => read(trlLists, options)).message).toContain(`readTRL: ${message}`);
  });
});
