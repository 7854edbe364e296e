// DuckDB reads a store of the library, and the library reads shards that DuckDB wrote, with the
// columns of the guide.

import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Matrix } from '../../src/index.js';
import {
  createTeacherStore,
  openTeacherStore,
  type TeacherStoreOptions,
} from '../../src/store/index.js';
import { newFolder } from '../store/newFolder.js';
import { collect, sequencesOf, textOf } from '../store/support.js';

const OPTIONS: TeacherStoreOptions = { columns: 20, k: 4, teacher: 'big', chunkRows: 16 };

let database: DuckDBInstance;
beforeAll(async () => {
  database = await DuckDBInstance.create(':memory:');
});
afterAll(() => database.closeSync());

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await database.connect();
  const reader = await connection.runAndReadAll(sql);
  connection.closeSync();
  return reader.getRowObjectsJson();
}

/** A store of 60 texts with a hidden state for every row. */
async function newStore(precision: 'float32' | 'float16'): Promise<string> {
  const folder = newFolder();
  const dense = { hidden: { columns: 3, precision } };
  const store = await createTeacherStore(folder, { ...OPTIONS, precision, dense });
  for (let i = 0; i < 60; i++) {
    const rows = 1 + (i % 5);
    const hidden = Matrix.zeros(rows, 3);
    hidden.data.set(hidden.data.map((_, j) => i + j / 4));
    await store.append(`text-${String(i).padStart(2, '0')}`, {
      ...textOf(i, rows),
      dense: { hidden },
    });
  }
  await store.close();
  return folder;
}

async function contentOf(folder: string) {
  const store = await openTeacherStore(folder);
  const sequences = sequencesOf(await collect(store.batches({ rows: 5000 })));
  return sequences.sort((a, b) => (a.key < b.key ? -1 : 1));
}

test.each(['float32', 'float16'] as const)('DuckDB reads a store in %s', async (precision) => {
  const folder = await newStore(precision);
  const rows = await query(
    `SELECT key, list(token ORDER BY position) AS tokens, list(label ORDER BY position) AS labels,
       flatten(list(indices ORDER BY position)) AS indices,
       flatten(list(log_probabilities ORDER BY position)) AS values,
       list(log_tail ORDER BY position) AS tails,
       flatten(list(hidden ORDER BY position)) AS hidden
     FROM '${folder}/*.parquet' GROUP BY key ORDER BY key`,
  );
  const expected = await contentOf(folder);
  const near = (values: readonly number[] | undefined) =>
    values!.map((value) => expect.closeTo(value, 5));
  expect(rows).toEqual(
    expected.map(({ key, tokens, labels, indices, values, logTail, dense }) => ({
      key,
      tokens,
      labels,
      indices,
      values: near(values),
      tails: near(logTail),
      hidden: near(dense.hidden),
    })),
  );
});

test.each(['zstd', 'snappy', 'gzip', 'uncompressed'])(
  'the library reads a shard that DuckDB wrote: %s',
  async (codec) => {
    const folder = await newStore('float32');
    const foreign = newFolder();
    cpSync(join(folder, 'store.json'), join(foreign, 'store.json'));
    await query(
      `COPY (SELECT * FROM '${folder}/*.parquet' WHERE key < 'text-30' ORDER BY key, position)
       TO '${foreign}/part.parquet' (FORMAT parquet, CODEC '${codec}', ROW_GROUP_SIZE 2048)`,
    );
    const whole = await contentOf(folder);
    const half = whole.filter(({ key }) => key < 'text-30');
    expect(await contentOf(foreign)).toEqual(half);
    const store = await openTeacherStore(foreign);
    await store.verify();

    // A writer continues the store: it finds the keys, and adds the shard's checksum.
    const dense = { hidden: { columns: 3, precision: 'float32' as const } };
    const writer = await createTeacherStore(foreign, { ...OPTIONS, dense });
    expect([writer.has('text-29'), writer.has('text-30')]).toEqual([true, false]);
    await writer.close();
    await (await openTeacherStore(foreign)).verify();
    const [shard] = readdirSync(foreign).filter((name) => name.endsWith('.parquet'));
    writeFileSync(join(foreign, shard!), new Uint8Array(400), { flag: 'a' });
    await expect((await openTeacherStore(foreign)).verify()).rejects.toMatchObject({
      code: 'DAMAGED',
      argument: shard,
    });
  },
);

test('a sequence that DuckDB split over two row groups is read as one', async () => {
  const folder = newFolder();
  const store = await createTeacherStore(folder, { ...OPTIONS, chunkRows: 5000, shardRows: 9000 });
  for (let i = 0; i < 3; i++) await store.append(`text-${i}`, textOf(i, 1500));
  await store.close();
  const foreign = join(newFolder(), 'cut');
  mkdirSync(foreign);
  cpSync(join(folder, 'store.json'), join(foreign, 'store.json'));
  const path = join(foreign, 'part.parquet');
  const copy = `COPY (FROM '${folder}/*.parquet' ORDER BY key, position) TO '${path}'`;
  await query(`${copy} (FORMAT parquet, ROW_GROUP_SIZE 2048)`);
  const [{ groups }] = (await query(
    `SELECT count(DISTINCT row_group_id)::INTEGER AS groups FROM parquet_metadata('${path}')`,
  )) as [{ groups: number }];
  expect(groups).toBeGreaterThan(1);
  expect(await contentOf(foreign)).toEqual(await contentOf(folder));
  // Rows out of order belong to no sequence.
  rmSync(path);
  await query(`${copy.replace('key, position', 'position, key')} (FORMAT parquet)`);
  await expect(openTeacherStore(foreign)).rejects.toMatchObject({
    code: 'DAMAGED',
    argument: 'part.parquet',
  });
});
