import { checkInteger, checkNumber, checkOptions, refuse, throwType } from '../core/errors.js';
import type { BatchOptions, BatchPosition } from './batch.js';
import { fingerprintOf } from './checksum.js';
import type { OpenStore } from './openStore.js';
import { type Window, windowsOf } from './order.js';
import { type Columns, columnsOf, kindsOf } from './rows.js';

const OPERATION = 'TeacherStore.batches';

/** The rows and columns to read from a store, and their order. */
export interface Selection {
  readonly windows: readonly Window[];
  readonly columns: Columns;
  /** Largest number of rows of a batch. */
  readonly rows: number;
  /** The position at which reading begins. */
  readonly position: BatchPosition;
}

/** Checks the options of `batches`, and determines what they select. */
export function selectBatches(store: OpenStore, options: BatchOptions): Selection {
  checkOptions(OPERATION, 'options', options, ['rows', 'seed', 'part', 'from', 'fields'], ['rows']);
  const { seed, part = { index: 0, count: 1 }, from } = options;
  const longest = store.catalog.shards
    .flatMap(({ chunks }) => chunks)
    .reduce((most, chunk) => Math.max(most, chunk.longest), 1);
  const rows = checkInteger(OPERATION, 'rows', options.rows, 1);
  if (rows < longest) {
    const expected = `be at least ${longest}, the rows of the longest sequence`;
    refuse('OUT_OF_RANGE', OPERATION, 'rows', expected, String(rows));
  }
  if (seed !== undefined) {
    checkNumber(OPERATION, 'seed', seed, 'be an integer', Number.isSafeInteger);
  }
  checkOptions(OPERATION, 'part', part, ['index', 'count']);
  checkInteger(OPERATION, 'part.count', part.count, 1);
  const isPart = (index: number) => Number.isInteger(index) && index >= 0 && index < part.count;
  checkNumber(OPERATION, 'part.index', part.index, `be an integer in [0, ${part.count})`, isPart);
  const columns = selectColumns(store, options.fields);
  const start: BatchPosition = {
    seed: seed ?? null,
    part: { index: part.index, count: part.count },
    sequences: 0,
    store: fingerprintOf(store.catalog.shards.map((s) => [s.name, s.bytes, s.chunks])),
  };
  const windows = windowsOf(store.catalog, seed, part);
  if (windows.length === 0) refuseEmptyPart(store, part.count);
  if (from !== undefined) checkPosition(from, start, windows);
  const position = from === undefined ? start : { ...start, sequences: from.sequences };
  return { windows, columns, rows, position };
}

/** Throws where a worker would read nothing of a store that holds something. */
function refuseEmptyPart({ catalog }: OpenStore, count: number): void {
  const chunks = catalog.shards.flatMap((shard) => shard.chunks);
  const { length } = chunks.filter(({ sequences }) => sequences > 0);
  if (length === 0) return;
  const hint = 'start fewer workers, or write the store with a smaller chunkRows';
  const expected = `be at most ${length}, the chunks of the store`;
  refuse('OUT_OF_RANGE', OPERATION, 'part.count', expected, String(count), { hint });
}

/** Throws unless a position belongs to this store, seed and part. */
function checkPosition(
  from: BatchPosition,
  start: BatchPosition,
  windows: readonly Window[],
): void {
  checkOptions(OPERATION, 'from', from, Object.keys(start));
  for (const name of ['store', 'seed', 'part'] as const) {
    const [own, given] = [start, from].map((position) => JSON.stringify(position[name]));
    if (own === given) continue;
    const hint =
      name === 'store'
        ? 'the store has changed since the position was saved'
        : 'pass the seed and the part of the batch before';
    refuse('MISMATCH', OPERATION, `from.${name}`, `be ${own}`, String(given), { hint });
  }
  checkInteger(OPERATION, 'from.sequences', from.sequences, 0);
  const all = windows.reduce((total, { sequences }) => total + sequences, 0);
  if (from.sequences <= all) return;
  const expected = `be at most ${all}, the sequences of the part`;
  refuse('OUT_OF_RANGE', OPERATION, 'from.sequences', expected, String(from.sequences));
}

/** Returns the columns of the fields of a batch. Throws for a field that is not in the store. */
function selectColumns(
  { description, catalog }: OpenStore,
  names: readonly string[] | undefined,
): Columns {
  const all = columnsOf(description, kindsOf(catalog.shards));
  if (names === undefined) return all;
  if (!Array.isArray(names)) throwType(OPERATION, 'fields', 'be an array of names', names);
  const known = ['tokens', 'labels', 'targets', ...Object.keys(all.dense)];
  for (const [i, name] of names.entries()) {
    if (known.includes(name)) continue;
    const expected = `be one of ${known.map((known) => `'${known}'`).join(', ')}`;
    refuse('OUT_OF_RANGE', OPERATION, `fields[${i}]`, expected, JSON.stringify(name) ?? 'nothing');
  }
  return {
    tokens: all.tokens && names.includes('tokens'),
    labels: all.labels && names.includes('labels'),
    k: names.includes('targets') ? all.k : 0,
    dense: Object.fromEntries(Object.entries(all.dense).filter(([name]) => names.includes(name))),
  };
}
