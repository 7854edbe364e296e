import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  IGNORE_INDEX,
  Matrix,
  ResponseDistillationStrategy,
  SparseTargets,
  UNLABELED,
} from '../../src/index.js';
import { createTeacherStore, openTeacherStore } from '../../src/store/index.js';
import { collect, MemoryStorage, type PlainSequence, sequencesOf, targetsOf } from './support.js';

const COLUMNS = 40;
const K = 5;

/** A row: the logits of all classes, and the number of kept classes. */
const row = fc.record({
  logits: fc.array(
    fc.integer({ min: -2e6, max: 2e6 }).map((n) => n / 1e5),
    {
      minLength: COLUMNS,
      maxLength: COLUMNS,
    },
  ),
  kept: fc.integer({ min: 0, max: K }),
});

const text = fc.record({
  rows: fc.array(row, { minLength: 1, maxLength: 12 }),
  prompt: fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 5 }),
  seed: fc.nat(),
});

/** Makes targets whose row i keeps `rows[i].kept` classes, with −1 in all other places. */
function raggedTargets(rows: readonly { logits: number[]; kept: number }[]): SparseTargets {
  const full = targetsOf(
    rows.map(({ logits }) => logits),
    K,
  );
  const indices = full.indices.slice();
  for (const [i, { kept }] of rows.entries()) indices.fill(-1, i * K + kept, (i + 1) * K);
  return new SparseTargets({ indices, logProbabilities: full.values, columns: COLUMNS });
}

const padding = (count: number, value: number) => new Array<number>(count).fill(value);

test('texts are restored to the bit, for any number of kept classes and any size of shards', async () => {
  const options = fc.record({
    shardRows: fc.integer({ min: 1, max: 40 }),
    chunkRows: fc.integer({ min: 1, max: 40 }),
    rows: fc.integer({ min: 17, max: 60 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 12 }), options, async (texts, o) => {
      const storage = new MemoryStorage();
      const { rows, ...sizes } = o;
      const description = { columns: COLUMNS, k: K, teacher: 'big', writer: 'w' };
      const store = await createTeacherStore(storage, { ...description, ...sizes });
      const expected: PlainSequence[] = [];
      for (const [i, { rows, prompt, seed }] of texts.entries()) {
        const targets = raggedTargets(rows);
        const tokens = rows.map((_, j) => (seed + 7 * j) % COLUMNS);
        const studentRows = rows.map((_, j) => prompt.length - 1 + j);
        await store.append(`text ${i} é`, { targets, tokens, prompt, studentRows });
        const given = prompt.length - 1;
        const values = [...targets.values.data].map((value, j) =>
          targets.indices[j] === -1 ? -Infinity : value,
        );
        const tails = rows.map(({ kept }, j) => (kept === 0 ? 0 : Math.fround(targets.tailOf(j))));
        expected.push({
          key: `text ${i} é`,
          tokens: [...prompt, ...tokens.slice(0, -1)],
          labels: [
            ...padding(given, IGNORE_INDEX),
            ...tokens.map((token, j) => (rows[j]!.kept === 0 ? IGNORE_INDEX : token)),
          ],
          indices: [...padding(given * K, -1), ...targets.indices],
          values: [...padding(given * K, -Infinity), ...values],
          logTail: [...padding(given, 0), ...tails],
          dense: {},
        });
      }
      await store.close();
      const opened = await openTeacherStore(storage);
      await opened.verify();
      const read = sequencesOf(await collect(opened.batches({ rows })));
      expect(read).toEqual(expected);
      expect(opened.size).toMatchObject({
        rows: expected.reduce((total, { labels }) => total + labels!.length, 0),
        sequences: texts.length,
      });
    }),
    { numRuns: 40 },
  );
});

test('half precision keeps the sum of each row, and restores half precision numbers exactly', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
      const kept = rows.map(({ logits }) => ({ logits, kept: K }));
      let targets = raggedTargets(kept);
      for (const round of ['first', 'second']) {
        const storage = new MemoryStorage();
        const description = {
          columns: COLUMNS,
          k: K,
          teacher: 'big',
          precision: 'float16' as const,
        };
        const store = await createTeacherStore(storage, description);
        await store.append('key', { targets });
        await store.close();
        const [batch] = await collect((await openTeacherStore(storage)).batches({ rows: 20 }));
        const read = batch!.targets!;
        for (const [i, value] of read.values.data.entries()) {
          const given = targets.values.data[i]!;
          if (round === 'second') expect(value).toBe(given);
          // The spacing of half precision is 2⁻¹⁰ of the number, and 2⁻²⁴ below 2⁻¹⁴.
          expect(Math.abs(value - given)).toBeLessThanOrEqual(Math.abs(given) / 1024 + 2 ** -24);
        }
        for (let i = 0; i < rows.length; i++) {
          const sum = (data: Float32Array) =>
            data.subarray(i * K, (i + 1) * K).reduce((total, value) => total + Math.exp(value), 0);
          expect(Math.abs(sum(read.values.data) - sum(targets.values.data))).toBeLessThan(5e-4);
        }
        targets = read;
      }
    }),
    { numRuns: 30 },
  );
});

test('equal probabilities sum to 1 after rounding to half precision', async () => {
  const k = 64;
  const storage = new MemoryStorage();
  const description = { columns: k, k, teacher: 'flat', precision: 'float16' as const };
  const store = await createTeacherStore(storage, description);
  const targets = targetsOf([new Array<number>(k).fill(0)], k);
  await store.append('flat', { targets });
  await store.close();
  const [batch] = await collect((await openTeacherStore(storage)).batches({ rows: 1 }));
  const { data } = batch!.targets!.values;
  expect(data.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 4);
});

test('half precision refuses rows that a strategy would refuse after rounding', async () => {
  const strategy = new ResponseDistillationStrategy({ temperature: 1 });
  const scale = fc.double({ min: 0.9985, max: 1.0015, noNaN: true });
  const near = fc.double({ min: 0.998999, max: 0.999001, noNaN: true });
  await fc.assert(
    fc.asyncProperty(fc.oneof(scale, near), row, async (total, { logits }) => {
      const full = targetsOf([logits], K);
      const values = full.values.data.map((value) => value + Math.log(total));
      const targets = new SparseTargets({
        indices: full.indices,
        logProbabilities: new Matrix(values, 1, K),
        columns: COLUMNS,
        logTail: full.logTail!.map((value) => value + Math.log(total)),
      });
      const storage = new MemoryStorage();
      const description = { columns: COLUMNS, k: K, teacher: 'big', precision: 'float16' } as const;
      const store = await createTeacherStore(storage, description);
      try {
        await store.append('key', { targets });
      } catch (error) {
        expect(error).toMatchObject({ code: 'NOT_A_DISTRIBUTION', row: 0 });
        return;
      }
      await store.close();
      const [batch] = await collect((await openTeacherStore(storage)).batches({ rows: 1 }));
      strategy.computeLoss(Matrix.zeros(1, COLUMNS), batch!.targets!);
    }),
    { numRuns: 200 },
  );
});

test('rows without a teacher score are excluded, with labels and without', async () => {
  const logits = Array.from({ length: COLUMNS }, (_, i) => i / 9);
  const targets = raggedTargets([2, 0, 3].map((kept) => ({ logits, kept })));
  const storage = new MemoryStorage();
  const store = await createTeacherStore(storage, { columns: COLUMNS, k: K, teacher: 'big' });
  await store.append('a', { targets });
  await store.append('b', { targets, labels: [1, 2, UNLABELED] });
  await store.append('c', { targets: targetsOf([logits], K) });
  await store.close();
  const [batch] = await collect((await openTeacherStore(storage)).batches({ rows: 7 }));
  const none = UNLABELED;
  expect([...batch!.labels!]).toEqual([none, IGNORE_INDEX, none, 1, IGNORE_INDEX, none, none]);
  const strategy = new ResponseDistillationStrategy({ temperature: 1 });
  const student = Matrix.zeros(7, COLUMNS);
  const { gradient } = strategy.computeLossAndGradient(student, batch!.targets!, batch!.labels);
  expect(gradient.row(1)).toEqual(new Float32Array(COLUMNS));
  expect(gradient.row(2)).not.toEqual(new Float32Array(COLUMNS));
});

test('dense rows are restored in their precision, with and without targets and labels', async () => {
  const hidden = Matrix.fromRows([
    [1, -0, 1 / 3],
    [65504, 2 ** -24, -1e-9],
  ]);
  const logits = Matrix.fromRows([
    [0.1, -Infinity],
    [-3, 4],
  ]);
  const storage = new MemoryStorage();
  const store = await createTeacherStore(storage, {
    teacher: 'encoder',
    dense: { logits: { columns: 2 }, hidden: { columns: 3, precision: 'float16' } },
  });
  await store.append('a', { dense: { hidden, logits }, labels: [7, UNLABELED] });
  await store.append('b', { dense: { hidden, logits } });
  await store.close();
  const opened = await openTeacherStore(storage);
  const [batch] = await collect(opened.batches({ rows: 4 }));
  expect(batch).toMatchObject({ keys: ['a', 'b'], tokens: undefined, targets: undefined });
  expect(batch!.labels).toEqual(Int32Array.of(7, UNLABELED, UNLABELED, UNLABELED));
  const half = [1, -0, 0.333251953125, 65504, 2 ** -24, -0];
  expect([...batch!.dense.hidden!.data]).toEqual([...half, ...half]);
  expect([...batch!.dense.logits!.data]).toEqual([...logits.data, ...logits.data]);
  expect(batch!.dense.logits).toMatchObject({ rows: 4, columns: 2 });
});

test('dense rows of a text include the tokens of its prompt', async () => {
  const storage = new MemoryStorage();
  const store = await createTeacherStore(storage, {
    teacher: 't',
    dense: { hidden: { columns: 1 } },
  });
  const hidden = Matrix.fromRows([[1], [2], [3]]);
  await store.append('a', { prompt: [5, 6], tokens: [7, 8], dense: { hidden } });
  await store.close();
  const [batch] = await collect((await openTeacherStore(storage)).batches({ rows: 4 }));
  expect(batch!.tokens).toEqual(Int32Array.of(5, 6, 7));
  expect(batch!.labels).toEqual(Int32Array.of(IGNORE_INDEX, 7, 8));
});

test('batches read only the requested columns', async () => {
  const storage = new MemoryStorage();
  const dense = { hidden: { columns: 300 } };
  const store = await createTeacherStore(storage, { columns: 3, k: 2, teacher: 't', dense });
  const hiddenOf = (i: number) =>
    new Matrix(
      Float32Array.from({ length: 600 }, (_, j) => Math.sin(600 * i + j)),
      2,
      300,
    );
  const targets = targetsOf(
    [
      [1, 2, 3],
      [4, 4, 4],
    ],
    2,
  ); // prettier-ignore
  for (let i = 0; i < 40; i++) {
    await store.append(`${i}`, { targets, labels: [0, 1], dense: { hidden: hiddenOf(i) } });
  }
  await store.close();
  const opened = await openTeacherStore(storage);
  const bytesRead = async (fields?: string[]) => {
    storage.reads.length = 0;
    const batches = await collect(opened.batches({ rows: 80, fields }));
    return { batch: batches[0]!, bytes: storage.reads.reduce((sum, [, bytes]) => sum + bytes, 0) };
  };
  const all = await bytesRead();
  const some = await bytesRead(['targets', 'labels']);
  expect(some.batch.targets!.indices).toEqual(all.batch.targets!.indices);
  expect(some.batch.labels).toEqual(all.batch.labels);
  expect(some.batch.dense).toEqual({});
  expect(some.bytes).toBeLessThan(all.bytes / 10);
  const one = await bytesRead(['hidden']);
  expect(one.batch).toMatchObject({ targets: undefined, labels: undefined, keys: all.batch.keys });
  expect(one.batch.dense.hidden).toEqual(all.batch.dense.hidden);
});
