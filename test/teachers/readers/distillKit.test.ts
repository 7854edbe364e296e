import { describe, expect, test } from 'vitest';
import {
  type DistillKitOptions,
  type DistillKitRow,
  readDistillKit,
} from '../../../src/teachers/readers/index.js';
import fixtures from '../../fixtures/readers/distillKit.json' with { type: 'json' };
import { refusal, wrong } from '../../support/refusal.js';

const columns = 1000;

function read(row: object, config?: unknown, options: Partial<DistillKitOptions> = {}) {
  return readDistillKit(wrong<DistillKitRow>(row), { columns, config: wrong(config), ...options });
}

/** 64-bit words, which are strings in JSON. */
function withWords<R extends { packed_indices: string[][] }>(row: R) {
  return { ...row, packed_indices: row.packed_indices.map((words) => words.map(BigInt)) };
}

const cases = [
  ...fixtures.compressed,
  ...fixtures.legacy.map((each) => ({
    ...each,
    name: `legacy, ${each.name}`,
    row: withWords(each.row),
  })),
];

describe('readDistillKit', () => {
  test.each(cases)('reads $name', ({ row, config, expected }) => {
    const { targets, tokens, studentRows } = read(row, config);
    expect([...tokens]).toEqual(row.input_ids.slice(1));
    expect([...studentRows]).toEqual(expected.map((_, j) => j));
    for (const [j, { classes, logProbabilities }] of expected.entries()) {
      const sum = logProbabilities.reduce((total, log) => total + Math.exp(log), 0);
      const excess = Math.max(0, Math.log(sum));
      const wanted = new Map(classes.map((id, i) => [id, logProbabilities[i]! - excess]));
      const k = targets.values.columns;
      const kept = [...targets.indices.subarray(j * k, (j + 1) * k)];
      expect(new Set(kept)).toEqual(new Set(classes));
      for (const [i, id] of kept.entries()) {
        expect(Math.abs(targets.values.get(j, i) - wanted.get(id)!)).toBeLessThan(1e-6);
      }
      const tail = Math.exp(targets.logTail![j]!);
      expect(Math.abs(tail - Math.max(0, 1 - sum))).toBeLessThan(1e-5);
    }
  });

  const [{ row, config }] = fixtures.compressed as [(typeof fixtures.compressed)[0]];

  test('reads bigints and typed arrays, as Parquet readers return them', () => {
    const typed = {
      input_ids: BigUint64Array.from(row.input_ids, BigInt),
      compressed_logprobs: row.compressed_logprobs.map((bytes) => Uint8Array.from(bytes)),
      bytepacked_indices: row.bytepacked_indices.map((bytes) => Uint8Array.from(bytes)),
    };
    expect(read(typed, config)).toEqual(read(row, config));
  });

  const raw = {
    input_ids: [5n, 2n, 7n],
    token_ids: [
      [2n, 4n],
      [2n, 3n],
    ],
    top_values: [
      [-0.5, -1.5],
      [-0.25, -Infinity],
    ],
  };

  test('reads plain tokens and log-probabilities without a configuration', () => {
    const { targets, tokens, studentRows } = read(raw);
    expect([...targets.indices]).toEqual([2, 4, 2, -1]);
    expect([...tokens, ...studentRows]).toEqual([2, 7, 0, 1]);
  });

  test('leaves the last row of a packed data set without a label', () => {
    const packed = { ...raw, input_ids: [5, 2], attention_mask: [1, 1] };
    const { targets, tokens } = read(packed);
    expect([...targets.indices, ...tokens]).toEqual([2, 4, 2]);
  });

  test('reads the completion after a prompt', () => {
    const { tokens, studentRows, targets } = read(raw, undefined, { promptLength: 2 });
    expect([...tokens, ...studentRows, targets.rows]).toEqual([7, 1, 1]);
  });

  test('accepts a vocabulary that is one larger than the columns, or smaller', () => {
    expect(read(row, { ...config, d: 1001 }).targets).toEqual(read(row, config).targets);
    expect(read(row, { ...config, d: 1001 }).targets.columns).toBe(columns);
    expect(read(row, config, { columns: 1024 }).targets.indices).toEqual(
      read(row, config).targets.indices,
    );
    expect(refusal(() => read(row, config, { columns: 998 })).message).toContain(
      "config.d must be at most columns + 1, 999, got 1000; columns is the size of the student's vocabulary",
    );
  });

  const bin = { scale_dtype: 'float32', element_bits: 8, num_elements: 4 };
  test.each<[string, object, string]>([
    [
      'a smaller k',
      { k: 11, exact_k: 11 },
      'bytepacked_indices[0] has shape [15], expected [14] (bytes of k ids); is it the config of this data set?',
    ],
    [
      'another number format',
      { exact_dtype: 'float32' },
      'compressed_logprobs[0] has shape [24], expected [48]',
    ],
    [
      'an unknown number format',
      { exact_dtype: 'int8' },
      "config.exact_dtype must be one of 'float16', 'bfloat16', 'float32', 'float64', got \"int8\"",
    ],
    ['exact_k > k', { exact_k: 13 }, 'config.exact_k must be at most k, 12, got 13'],
    [
      'a k that no memory holds',
      { k: 1e9, exact_k: 4, polynomial_terms: [0] },
      'bytepacked_indices[0] has shape [15], expected [1250000000] (bytes of k ids)',
    ],
    ['k = 0', { k: 0 }, 'config.k must be an integer ≥ 1, got 0'],
    ['no k', { k: undefined }, 'config.k must be an integer ≥ 1, got undefined'],
    [
      'no approximation',
      { exact_k: 4 },
      'config.exact_k must be k, where there are neither polynomial_terms nor residual_bins, got 4',
    ],
    [
      'too many elements',
      { exact_k: 10, residual_bins: [bin] },
      'config.residual_bins must hold at most k − exact_k elements, 2, got 4',
    ],
    [
      'elements of 33 bits',
      { exact_k: 4, residual_bins: [{ ...bin, element_bits: 33 }] },
      'config.residual_bins[0].element_bits must be at most 32, got 33',
    ],
    ['no bins', { residual_bins: null }, 'config.residual_bins must be an array, got null'],
    [
      'an unknown term',
      { exact_k: 4, polynomial_terms: ['cos'] },
      "config.polynomial_terms[0] must be one of 'sqrt', 'exp', got \"cos\"",
    ],
    [
      'half a power',
      { exact_k: 4, polynomial_terms: [0.5] },
      "config.polynomial_terms[0] must be an integer, 'sqrt' or 'exp', got 0.5",
    ],
    [
      'a flag that is none',
      { delta_encoding: 1 },
      'config.delta_encoding must be true or false, got 1',
    ],
  ])('refuses a configuration with %s', (_, change, message) => {
    expect(refusal(() => read(row, { ...config, ...change })).message).toContain(
      `readDistillKit: ${message}`,
    );
  });

  test('refuses values that do not descend', () => {
    const deltas = fixtures.compressed.find(({ name }) => name === 'deltas')!;
    const other = { ...deltas.config, delta_encoding: false };
    expect(refusal(() => read(deltas.row, other)).message).toMatch(
      /compressed_logprobs\[0\]\[\d+\] must be at most the one before it, as values descend/,
    );
  });

  const longer = [...row.input_ids, 1, 1];
  const [first, ...others] = row.compressed_logprobs as [number[], ...number[][]];
  test.each<[string, object, string]>([
    [
      'another number of tokens',
      { input_ids: longer },
      'input_ids has shape [6], expected [4] (one for each token after the first)',
    ],
    [
      'a token ≥ columns',
      { input_ids: [5, 2, 1000, 3] },
      'input_ids[2] must be a token id in [0, 1000), got 1000',
    ],
    ['one token', { input_ids: [5] }, 'input_ids must hold a token after the first, got one'],
    ['no tokens', { input_ids: null }, 'input_ids must be an array, got null'],
    [
      'bytes that are cut off',
      { compressed_logprobs: [first.slice(1), ...others] },
      'compressed_logprobs[0] has shape [23], expected [24]',
    ],
    [
      'a byte that is none',
      { compressed_logprobs: [[256, ...first.slice(1)], ...others] },
      'compressed_logprobs[0][0] must be a byte, got 256',
    ],
    [
      'NaN',
      { compressed_logprobs: [[255, 255, ...first.slice(2)], ...others] },
      'compressed_logprobs[0][0] is NaN',
    ],
    [
      'a positive log-probability',
      { compressed_logprobs: [[0, 60, ...first.slice(2)], ...others] },
      'compressed_logprobs[0][0] must be a log-probability, at most 0, got 1',
    ],
    [
      'a token twice',
      { bytepacked_indices: row.bytepacked_indices.map((bytes) => bytes.map(() => 0)) },
      'must hold each token once, got 0 again in bytepacked_indices[0][1]',
    ],
    [
      'fewer ids',
      { bytepacked_indices: row.bytepacked_indices.slice(1) },
      'bytepacked_indices has shape [2], expected [3] (one for each position)',
    ],
    [
      'no scores',
      { compressed_logprobs: undefined },
      'compressed_logprobs must be an array, got undefined',
    ],
    [
      'several texts',
      { attention_mask: [1, 1, 2, 2] },
      'attention_mask must hold the same number everywhere, got 1, 2; slice every column into rows of one text',
    ],
    [
      'a mask of another length',
      { attention_mask: [1] },
      'attention_mask has shape [1], expected [4]',
    ],
  ])('refuses %s', (_, change, message) => {
    expect(refusal(() => read({ ...row, ...change }, config)).message).toContain(`${message}`);
  });

  test('refuses approximations that are no probabilities', () => {
    const { row: approximated, config: layout } = fixtures.compressed.find(
      ({ name }) => name === 'one term, one approximated token',
    )!;
    const change = (bytes: number[]) => ({
      ...approximated,
      compressed_logprobs: approximated.compressed_logprobs.map((each) => [
        ...each.slice(0, 16),
        ...bytes,
      ]),
    });
    const one = [0, 0, 128, 63]; // e > 2
    expect(refusal(() => read(change(one), layout)).message).toContain(
      'compressed_logprobs[0] must hold probabilities that sum to at most 1, or 2 if approximated, got 3.',
    );
    const infinity = [0, 0, 128, 127];
    expect(refusal(() => read(change(infinity), layout)).message).toContain(
      'compressed_logprobs[0][4] is Infinity',
    );
  });

  test('refuses legacy columns of different lengths', () => {
    const huge = { ...fixtures.legacy[0]!.config, polynomial_degree: 1e9 };
    expect(refusal(() => read(withWords(fixtures.legacy[0]!.row), huge)).message).toContain(
      'coeffs[0] has shape [4], expected [1000000001] (one for each term)',
    );

    const [legacy] = fixtures.legacy as [(typeof fixtures.legacy)[0]];
    const old = withWords(legacy.row);
    const refuses = (change: object, message: string) =>
      expect(refusal(() => read({ ...old, ...change }, legacy.config)).message).toContain(message);
    const number = old.packed_indices.map((words) => words.map(Number));
    refuses(
      { packed_indices: number },
      'packed_indices[0][0] must be a bigint, or an integer that is exact',
    );
    refuses(
      { coeffs: old.coeffs.map((list) => list.slice(1)) },
      'coeffs[0] has shape [3], expected [4] (one for each term)',
    );
    refuses(
      { exact_values: old.exact_values.map(() => []) },
      'exact_values[0] has shape [0], expected [4] (exact_k)',
    );
    expect(refusal(() => read(old)).message).toContain(
      'config must be an object, got undefined; pass the parsed compression_config.yaml',
    );
  });

  test.each<[string, object, string]>([
    [
      'a list of ids that is shorter',
      { token_ids: [[2n, 4n], [2n]] },
      'token_ids[1] has shape [1], expected [2] (one for each log-probability)',
    ],
    [
      'fewer log-probabilities',
      { top_values: [[-1, -2]] },
      'top_values has shape [1], expected [2]',
    ],
    [
      'a sum above 1',
      {
        top_values: [
          [-0.1, -0.5],
          [-0.25, -3],
        ],
      },
      'token_ids[0] must hold probabilities that sum to at most 1',
    ],
    [
      'an id ≥ columns',
      {
        token_ids: [
          [2n, 1000n],
          [2n, 3n],
        ],
      },
      'token_ids[0][1] must be a token id in [0, 1000), got 1000',
    ],
  ])('refuses %s', (_, change, message) => {
    expect(refusal(() => read({ ...raw, ...change })).message).toContain(message);
  });
});
