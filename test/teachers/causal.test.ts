import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CausalRowsOptions,
  causalRows,
  float64,
  IGNORE_INDEX,
  Matrix,
  ResponseDistillationStrategy,
  ReverseKLDistillationStrategy,
  UNLABELED,
} from '../../src/index.js';
import { refusal, wrong } from '../support/refusal.js';

describe('causalRows', () => {
  test('gives each row the next token as its label, and the last row of a sequence none', () => {
    const { labels, mask, count } = causalRows({ batch: 2, length: 3, labels: [1, 2, 3, 4, 5, 6] });
    expect(labels).toEqual(Int32Array.of(2, 3, IGNORE_INDEX, 5, 6, IGNORE_INDEX));
    expect(mask).toEqual(Uint8Array.of(1, 1, 0, 1, 1, 0));
    expect(count).toBe(4);
  });

  test('shifts IGNORE_INDEX with the labels, and keeps UNLABELED rows for the teacher', () => {
    const given = [IGNORE_INDEX, IGNORE_INDEX, 7, UNLABELED, IGNORE_INDEX, 0];
    const { labels, mask, count } = causalRows({ batch: 1, length: 6, labels: given });
    const expected = [IGNORE_INDEX, 7, UNLABELED, IGNORE_INDEX, 0, IGNORE_INDEX];
    expect([...labels]).toEqual(expected);
    expect([...mask]).toEqual([0, 1, 1, 0, 1, 0]);
    expect(count).toBe(3);
  });

  test('excludes padding as input and as label, on either side', () => {
    const { labels, count } = causalRows({
      batch: 2,
      length: 5,
      labels: [
        [0, 0, 4, 5, 6],
        [4, 5, 6, 0, 0],
      ].flat(),
      attentionMask: [
        [0, 0, 1, 1, 1],
        [1, 1, 1, 0, 0],
      ].flat(),
    });
    const out = IGNORE_INDEX;
    expect([...labels]).toEqual(
      [
        [out, out, 5, 6, out],
        [5, 6, out, out, out],
      ].flat(),
    );
    expect(count).toBe(4);
  });

  test('lets the last token of a prompt predict the first token of the completion, and skips padding in prompts', () => {
    const { labels } = causalRows({
      batch: 2,
      length: 5,
      labels: [
        [0, 4, 5, 6, 7],
        [4, 5, 6, 7, 0],
      ].flat(),
      attentionMask: [
        [0, 1, 1, 1, 1],
        [1, 1, 1, 1, 0],
      ].flat(),
      promptLengths: [2, 2],
    });
    const out = IGNORE_INDEX;
    expect([...labels]).toEqual(
      [
        [out, out, 6, 7, out],
        [out, 6, 7, out, out],
      ].flat(),
    );
  });

  test('ignores a prompt of at most one token, and has nothing to learn if the completion was cut off', () => {
    const rows = (prompt: number) =>
      causalRows({ batch: 1, length: 3, labels: [4, 5, 6], promptLengths: [prompt] });
    expect(rows(0)).toEqual(causalRows({ batch: 1, length: 3, labels: [4, 5, 6] }));
    expect(rows(1)).toEqual(rows(0));
    expect([...rows(2).labels]).toEqual([IGNORE_INDEX, 6, IGNORE_INDEX]);
    expect(rows(3)).toMatchObject({ count: 0 });
    expect(rows(9)).toEqual(rows(3)); // a text that is cut within its prompt
  });

  test('accepts 64-bit integers as tokenizers return them, and booleans in the mask', () => {
    const numbers = { batch: 1, length: 4, labels: [5, 6, -100, 0], attentionMask: [1, 1, 1, 0] };
    const bigints: CausalRowsOptions = {
      batch: 1,
      length: 4,
      labels: BigInt64Array.of(5n, 6n, -100n, 0n),
      attentionMask: BigInt64Array.of(1n, 1n, 1n, 0n),
    };
    expect(causalRows(bigints)).toEqual(causalRows(numbers));
    const attentionMask = [true, true, true, false];
    expect(causalRows({ ...numbers, attentionMask })).toEqual(causalRows(numbers));
  });

  test('accepts no sequences, and sequences of one token, which predict nothing', () => {
    expect(causalRows({ batch: 0, length: 4, labels: [] })).toMatchObject({ count: 0 });
    const { labels } = causalRows({ batch: 2, length: 1, labels: [3, 4] });
    expect([...labels]).toEqual([IGNORE_INDEX, IGNORE_INDEX]);
  });

  test('does not read excluded rows', () => {
    const labels = [Number.NaN, 5, -7, Number.NaN];
    const options = { batch: 1, length: 4, labels, attentionMask: [1, 1, 0, 0] };
    expect([...causalRows(options).labels]).toEqual([5, -100, -100, -100]);
  });
});

const VOCABULARY = 5;

/** Sequences of tokens, padded on one side to the same length, with prompts and ignored labels. */
const batches = fc
  .record({
    length: fc.integer({ min: 1, max: 6 }),
    side: fc.constantFrom('left', 'right'),
  })
  .chain(({ length, side }) =>
    fc
      .array(
        fc.record({
          tokens: fc.array(fc.constantFrom(0, 1, 2, 3, 4, IGNORE_INDEX, UNLABELED), {
            maxLength: length,
          }),
          prompt: fc.nat({ max: length }),
        }),
        { maxLength: 4 },
      )
      .map((sequences) => ({ length, side, sequences })),
  );

describe('causalRows compared with slices', () => {
  test('gives the loss and the gradient of each sequence, sliced and shifted separately', () => {
    fc.assert(
      fc.property(batches, fc.integer(), ({ length, side, sequences }, seed) => {
        const batch = sequences.length;
        const padding = (tokens: number[]) => new Array<number>(length - tokens.length);
        const pad = (tokens: number[], value: number) =>
          side === 'left'
            ? [...padding(tokens).fill(value), ...tokens]
            : [...tokens, ...padding(tokens).fill(value)];
        const { labels, mask, count } = causalRows({
          batch,
          length,
          labels: sequences.flatMap(({ tokens }) => pad(tokens, 0)),
          attentionMask: sequences.flatMap(({ tokens }) =>
            pad(
              tokens.map(() => 1),
              0,
            ),
          ),
          promptLengths: sequences.map(({ prompt }) => prompt),
        });

        const logits = (side: number) =>
          Matrix.fromRows(
            Array.from({ length: batch * length }, (_, row) =>
              Array.from({ length: VOCABULARY }, (_, j) =>
                Math.sin(seed + 100 * side + 7 * row + j * j),
              ),
            ),
            float64,
          );
        if (batch === 0) return;
        const [student, teacher] = [logits(1), logits(2)];

        // As in Python: logits[first : last - 1] with tokens[first + 1 : last], of which some are
        // excluded.
        const kept: { row: number; token: number }[] = [];
        for (const [b, { tokens, prompt }] of sequences.entries()) {
          const start = b * length + (side === 'left' ? length - tokens.length : 0);
          const rows = tokens.map((_, i) => start + i).slice(0, -1);
          const pairs = tokens.slice(1).map((token, i) => ({ row: rows[i]!, token }));
          kept.push(
            ...pairs.slice(Math.max(prompt - 1, 0)).filter(({ token }) => token !== IGNORE_INDEX),
          );
        }
        expect(count).toBe(kept.length);
        expect(mask.reduce((sum, value) => sum + value, 0)).toBe(count);
        if (count === 0) return;
        const pick = (matrix: typeof student) =>
          Matrix.fromRows(
            kept.map(({ row }) => matrix.row(row)),
            float64,
          );
        const targets = Int32Array.from(kept, ({ token }) => token);

        for (const Strategy of [ResponseDistillationStrategy, ReverseKLDistillationStrategy]) {
          const strategy = new Strategy<Float64Array>({ temperature: 2, alpha: 0.4 });
          const whole = strategy.computeLossAndGradient(student, teacher, labels, { mask });
          const sliced = strategy.computeLossAndGradient(pick(student), pick(teacher), targets);
          expect(whole.loss).toBeCloseTo(sliced.loss, 13);
          expect(whole.count).toBe(count);
          const expected = student.zerosLike();
          for (const [i, { row }] of kept.entries()) expected.row(row).set(sliced.gradient.row(i));
          expect(whole.gradient).toEqual(expected);
          expect(strategy.computeLoss(student, teacher, undefined, { mask })).toBeCloseTo(
            strategy.computeLoss(pick(student), pick(teacher)),
            13,
          );
        }
      }),
    );
  });
});

describe('causalRows refuses', () => {
  const good = { batch: 2, length: 2, labels: [1, 2, 3, 4] };

  test.each<[object, string]>([
    [{ batch: -1 }, 'causalRows: batch must be an integer ≥ 0, got -1'],
    [{ length: 0 }, 'causalRows: length must be an integer ≥ 1, got 0'],
    [{ labels: [1, 2, 3] }, 'causalRows: labels has shape [3], expected [4] (batch × length)'],
    [
      { attentionMask: [1, 1] },
      'causalRows: attentionMask has shape [2], expected [4] (batch × length)',
    ],
    [
      { promptLengths: [1] },
      'causalRows: promptLengths has shape [1], expected [2] (one for each sequence)',
    ],
    [{ promptLengths: [1, -1] }, 'causalRows: promptLengths[1] must be an integer ≥ 0, got -1'],
    [
      { attentionMask: [1, 1, 1, 2] },
      'causalRows: attentionMask row 3 must hold 0 or 1 for each row, got 2',
    ],
    [
      { attentionMask: BigInt64Array.of(1n, 1n, 1n, -1n) },
      'causalRows: attentionMask row 3 must hold 0 or 1 for each row, got -1',
    ],
    ...[-2, 1.5, 2 ** 31, -(2n ** 40n)].map((token): [object, string] => [
      { labels: [1, 2, 3, token] },
      `causalRows: labels row 3 must be a token id, UNLABELED (-1) or IGNORE_INDEX (-100), got ${token}`,
    ]),
    [
      { mask: [1] },
      'causalRows: unknown option "mask"; known options: batch, length, labels, attentionMask, promptLengths',
    ],
  ])('$1', (options, message) => {
    const call = () => causalRows({ ...good, ...options });
    expect(refusal(call)).toMatchObject({ name: 'DistillationError', message });
  });

  test.each<[object, string]>([
    [{ batch: '2' }, 'causalRows: batch must be an integer ≥ 0, got "2"; use Number(batch)'],
    [{ labels: undefined }, 'causalRows: labels must be an array, got undefined'],
    [{ labels: '1234' }, 'causalRows: labels must be an array, got "1234"'],
    [{ labels: [1, 2, 3, '4'] }, 'causalRows: labels[3] must be a number or a bigint, got "4"'],
    [
      { promptLengths: 2 },
      'causalRows: promptLengths must be an array, got 2; use new Array(batch).fill(2)',
    ],
    [{ attentionMask: 1 }, 'causalRows: attentionMask must be an array, got 1'],
    [{ attentionMask: [1, 1, 1, 'x'] }, 'causalRows: attentionMask[3] must be 0 or 1, got "x"'],
    [{ promptLengths: [1, null] }, 'causalRows: promptLengths[1] must be an integer ≥ 0, got null'],
    [{ promptLengths: [1, 1n] }, 'causalRows: promptLengths[1] must be an integer ≥ 0, got 1n'],
  ])('$1', (options, message) => {
    const call = () => causalRows(wrong({ ...good, ...options }));
    expect(call).toThrow(TypeError);
    expect(refusal(call)).toMatchObject({ code: 'WRONG_TYPE', message });
  });
});
