import { expect, test } from 'vitest';
import { Matrix, SparseTargets, type SparseTargetsOptions } from '../../src/index.js';
import { createTeacherStore, type TeacherSequence } from '../../src/store/index.js';
import { wrong } from '../support/refusal.js';
import { MemoryStorage, targetsOf } from './support.js';

const logits = [
  [3, 1, 0, -1, -2],
  [0, 4, 2, 1, 0],
];
const targets = targetsOf(logits, 2);

/** Targets of two rows with one change. */
function changed(change: Partial<SparseTargetsOptions>): SparseTargets {
  const { indices, values, logTail } = targets;
  const own = { indices, logProbabilities: values, columns: 5, logTail, ...change };
  return new SparseTargets(own as SparseTargetsOptions);
}

const withValue = (at: number, value: number) => {
  const data = targets.values.data.slice();
  data[at] = value;
  return changed({ logProbabilities: new Matrix(data, 2, 2) });
};

async function refusalOf(sequence: object, key: unknown = 'key') {
  const storage = new MemoryStorage();
  const dense = { hidden: { columns: 2, precision: 'float16' as const } };
  const options = { columns: 5, k: 2, teacher: 't', dense };
  const store = await createTeacherStore(storage, options);
  const hidden = Matrix.zeros(2, 2);
  const full = { targets, tokens: [1, 2], dense: { hidden }, ...sequence } as TeacherSequence;
  const error = await store.append(wrong(key), full).then(
    () => undefined,
    (error: Error) => ({ ...error, message: error.message }),
  );
  await store.close();
  expect(storage.shards()).toHaveLength(error === undefined ? 1 : 0);
  return error;
}

test('invalid input is refused by name, and none of it is stored', async () => {
  expect(await refusalOf({})).toBe(undefined);
  const hidden = Matrix.zeros(2, 2);
  const nan = Matrix.fromRows([
    [0, 0],
    [0, Number.NaN],
  ]); // prettier-ignore
  const cases: [object, object][] = [
    [{ targets: undefined }, { argument: 'targets', code: 'WRONG_TYPE' }],
    [{ targets: Matrix.fromRows(logits) }, { argument: 'targets', code: 'WRONG_TYPE' }],
    [{ targets: withValue(3, Number.NaN) }, { code: 'NOT_FINITE', row: 1, column: 1 }],
    [{ targets: withValue(0, Infinity) }, { code: 'NOT_FINITE', row: 0, column: 0 }],
    [{ targets: withValue(0, 0.1) }, { code: 'NOT_A_DISTRIBUTION', row: 0 }],
    [{ targets: withValue(2, -9) }, { code: 'NOT_A_DISTRIBUTION', row: 1 }],
    [
      { targets: changed({ logTail: Float32Array.of(targets.logTail![0]!, Number.NaN) }) },
      { row: 1 },
    ],
    [{ targets: changed({ indices: Int32Array.of(0, 5, 1, 2) }) }, { row: 0, column: 1 }],
    [{ targets: changed({ indices: Int32Array.of(0, -2, 1, 2) }) }, { row: 0, column: 1 }],
    [{ targets: changed({ indices: Int32Array.of(0, 1, 2, 2) }) }, { row: 1 }],
    [{ targets: targetsOf(logits, 3) }, { argument: 'targets', row: 0, code: 'OUT_OF_RANGE' }],
    [{ targets: changed({ columns: 6 }) }, { argument: 'targets', code: 'SHAPE_MISMATCH' }],
    [
      { targets: changed({ temperature: 2 }) },
      {
        argument: 'targets',
        code: 'TEMPERATURE',
        hint: 'take SparseTargets.topK(logits, k, { temperature: 1 }); or create the store with temperature 2',
      },
    ],
    [
      {
        targets: new SparseTargets({
          indices: targets.indices,
          logits: targets.values,
          columns: 5,
        }),
      },
      { argument: 'targets', code: 'OUT_OF_RANGE' },
    ],
    [{ tokens: [1] }, { argument: 'tokens', code: 'SHAPE_MISMATCH' }],
    [{ tokens: [1, 5] }, { argument: 'tokens', row: 1 }],
    [{ tokens: [1, -1] }, { argument: 'tokens', row: 1 }],
    [{ tokens: [1, 0.5] }, { argument: 'tokens', row: 1 }],
    [{ tokens: 'ab' }, { argument: 'tokens', code: 'WRONG_TYPE' }],
    [
      { tokens: undefined, labels: [1, -2] },
      { argument: 'labels', row: 1 },
    ],
    [{ labels: [1, 2] }, { argument: 'labels', code: 'MISPLACED_OPTION' }],
    [
      { tokens: undefined, prompt: [1] },
      { argument: 'prompt', code: 'MISPLACED_OPTION' },
    ],
    [{ prompt: [] }, { argument: 'prompt', code: 'EMPTY' }],
    [{ prompt: [-1] }, { argument: 'prompt', row: 0 }],
    [
      { studentRows: [0, 2], prompt: [1] },
      { argument: 'studentRows', row: 1 },
    ],
    [{ studentRows: [0, 1] }, { argument: 'studentRows', code: 'MISPLACED_OPTION' }],
    [{ studentRows: [0] }, { argument: 'studentRows', code: 'SHAPE_MISMATCH' }],
    [{ prompt: [1, 2] }, { argument: 'dense.hidden', code: 'SHAPE_MISMATCH' }],
    [{ dense: undefined }, { argument: 'dense.hidden', code: 'WRONG_TYPE' }],
    [
      { dense: { hidden: Matrix.zeros(2, 3) } },
      { argument: 'dense.hidden', code: 'SHAPE_MISMATCH' },
    ],
    [
      { dense: { hidden: nan } },
      { argument: 'dense.hidden', code: 'NOT_FINITE', row: 1, column: 1 },
    ],
    [
      {
        dense: {
          hidden: Matrix.fromRows([
            [0, 0],
            [65520, 0],
          ]),
        },
      },
      { argument: 'dense.hidden', row: 1, column: 0 },
    ], // prettier-ignore
    [{ hidden: Matrix.zeros(2, 2) }, { argument: 'sequence', code: 'UNKNOWN_OPTION' }],
    [{ dense: { hiden: hidden } }, { argument: 'dense', code: 'UNKNOWN_OPTION' }],
    [{ dense: [hidden] }, { argument: 'dense', code: 'WRONG_TYPE' }],
    [{ tokens: [1, null] }, { argument: 'tokens[1]', code: 'WRONG_TYPE' }],
    [{ tokens: ['1', 2] }, { argument: 'tokens[0]', code: 'WRONG_TYPE' }],
    [{ prompt: [true] }, { argument: 'prompt[0]', code: 'WRONG_TYPE' }],
    [
      { tokens: undefined, labels: [null, 1] },
      { argument: 'labels[0]', code: 'WRONG_TYPE' },
    ],
  ];
  for (const [change, expected] of cases) {
    expect(await refusalOf(change), JSON.stringify(expected)).toMatchObject({
      operation: 'TeacherStoreWriter.append',
      ...expected,
    });
  }
  expect(await refusalOf({}, '')).toMatchObject({ argument: 'key', code: 'EMPTY' });
  expect(await refusalOf({}, 7)).toMatchObject({ argument: 'key', code: 'WRONG_TYPE' });
  expect(await refusalOf({}, '\ud800')).toMatchObject({ argument: 'key', code: 'OUT_OF_RANGE' });
});

test('server replies lead to a store at their temperature', async () => {
  const options = { columns: 5, k: 2, teacher: 't' };
  const warm = await createTeacherStore(new MemoryStorage(), { ...options, temperature: 2 });
  await expect(warm.append('key', { targets })).rejects.toMatchObject({
    code: 'TEMPERATURE',
    hint: "take SparseTargets.topK(logits, k, { temperature: 2 }); server replies are at temperature 1: create the store with temperature 1 and train with tail: 'renormalize'",
  });
  const store = await createTeacherStore(new MemoryStorage(), { ...options, temperature: 1 });
  expect(await store.append('key', { targets })).toBe(true);
  for (const each of [warm, store]) await each.close();
});

test('a key that could not be read back is refused', async () => {
  expect(await refusalOf({}, '\ufeffkey')).toMatchObject({ argument: 'key', code: 'OUT_OF_RANGE' });
  expect(await refusalOf({}, 'k\ufeff')).toBe(undefined);
});

test('dense rows may hold −Infinity, but no number that overflows their precision', async () => {
  const of = (value: number) =>
    refusalOf({
      dense: {
        hidden: Matrix.fromRows([
          [value, 0],
          [0, 0],
        ]),
      },
    });
  expect(await of(-Infinity)).toBe(undefined);
  expect(await of(-65520)).toMatchObject({ argument: 'dense.hidden', row: 0, column: 0 });
  expect(await of(Infinity)).toMatchObject({ code: 'NOT_FINITE' });
});

test('dense rows are refused by a store without them', async () => {
  const store = await createTeacherStore(new MemoryStorage(), { columns: 5, k: 2, teacher: 't' });
  const dense = { hidden: Matrix.zeros(2, 2) };
  await expect(store.append('a', { targets, dense })).rejects.toMatchObject({
    code: 'MISPLACED_OPTION',
    argument: 'dense',
  });
});

test('rows of a text without its prompt are refused; the hint gives the length of the prompt', async () => {
  const error = await refusalOf({ studentRows: [3, 4] });
  expect(error!.message).toBe(
    'TeacherStoreWriter.append: studentRows must come with prompt: rows of a reply belong to a ' +
      'text, got no prompt; pass `prompt`, the 4 tokens before the first scored token',
  );
  const short = await refusalOf({ studentRows: [3, 4], prompt: [1, 2] });
  expect(short!.message).toContain('pass `prompt`, the 4 tokens before the first scored token');
  const hidden = Matrix.zeros(5, 2);
  expect(await refusalOf({ studentRows: [3, 4], prompt: [1, 2, 3, 4], dense: { hidden } })).toBe(
    undefined,
  );
});

test('the hint for logits works on the refused logits', async () => {
  const all = Matrix.fromRows(logits);
  const error = await refusalOf({ targets: all });
  expect(error!.message).toContain('SparseTargets.topK(logits, k)');
  expect(await refusalOf({ targets: SparseTargets.topK(all, 2) })).toBe(undefined);
});
