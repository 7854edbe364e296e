import { checkInteger, checkNumber, checkOptions, refuse, throwType } from '../core/errors.js';
import { Matrix } from '../core/matrix.js';
import { Generator } from '../core/random.js';
import { SparseTargets } from '../teachers/sparse.js';
import type { Catalog } from './catalog.js';
import { fingerprint } from './checksum.js';
import { decodeRows } from './decode.js';
import type { TeacherStoreDescription } from './description.js';
import type { StoreFiles } from './files.js';
import { type BatchPart, shuffle, type Window, windowsOf } from './order.js';
import { type Columns, columnsOf, gather, lengthOf, type Piece, type Rows } from './rows.js';
import { openShard, refuseShard, type ShardFile } from './shardFile.js';

/** A place in the order of a store: plain JSON. */
export interface BatchPosition {
  /** The seed; null for the stored order. */
  readonly seed: number | null;
  readonly part: BatchPart;
  /** Number of sequences that were given out. */
  readonly sequences: number;
  /** Hash of what the store held. */
  readonly store: string;
}

/** Options of {@link TeacherStore.batches}. */
export interface BatchOptions {
  /** Most rows of a batch; an integer ≥ the rows of the longest sequence. */
  readonly rows: number;
  /** Shuffles chunks and sequences; an integer. Without it, the stored order. */
  readonly seed?: number | undefined;
  /** Which of several workers reads; each chunk belongs to one of them. */
  readonly part?: BatchPart | undefined;
  /** Goes on after the batch with this position; seed and part have to be the same. */
  readonly from?: BatchPosition | undefined;
  /** What to read: `tokens`, `labels`, `targets` and names of dense rows; all of it. */
  readonly columns?: readonly string[] | undefined;
}

/** Whole sequences, one after the other. */
export interface TeacherBatch {
  readonly keys: readonly string[];
  /** First row of each sequence, and the number of rows at the end. */
  readonly offsets: Int32Array;
  /** The token that the student reads in each row; −1 in a row that is no text. */
  readonly tokens: Int32Array | undefined;
  /**
   * The token that each row predicts, or its class: what
   * `computeLossAndGradient(logits, targets, labels)` takes.
   */
  readonly labels: Int32Array | undefined;
  /** As many rows; a row that the teacher did not score keeps no class. */
  readonly targets: SparseTargets | undefined;
  readonly dense: Readonly<Record<string, Matrix>>;
  /** Pass it as `from` to go on after this batch. */
  readonly position: BatchPosition;
}

/** A store as `batches` reads it. */
export interface OpenStore {
  readonly files: StoreFiles;
  readonly description: TeacherStoreDescription;
  readonly catalog: Catalog;
}

const OPERATION = 'TeacherStore.batches';

/** Footers of shards that are kept in memory. */
const FOOTERS = 128;

/** Checks the options at once; reads when the iterable is iterated. */
export function readBatches(store: OpenStore, options: BatchOptions): AsyncIterable<TeacherBatch> {
  checkOptions(OPERATION, 'options', options, ['rows', 'seed', 'part', 'from', 'columns']);
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
  const columns = selectColumns(store, options.columns);
  const start: BatchPosition = {
    seed: seed ?? null,
    part: { index: part.index, count: part.count },
    sequences: 0,
    store: fingerprint(
      JSON.stringify(store.catalog.shards.map((s) => [s.name, s.bytes, s.chunks])),
    ),
  };
  if (from !== undefined) checkPosition(from, start);
  const position = from === undefined ? start : { ...start, sequences: from.sequences };
  const windows = windowsOf(store.catalog, seed, part);
  return { [Symbol.asyncIterator]: () => iterate(store, windows, columns, rows, position) };
}

/** Throws unless a position belongs to this store, seed and part. */
function checkPosition(from: BatchPosition, start: BatchPosition): void {
  checkOptions(OPERATION, 'from', from, Object.keys(start));
  checkInteger(OPERATION, 'from.sequences', from.sequences, 0);
  for (const name of ['store', 'seed', 'part'] as const) {
    const show = (position: BatchPosition) => JSON.stringify(position[name]);
    if (show(from) === show(start)) continue;
    const what = name === 'store' ? 'that of the store as it is: it has changed' : 'the same';
    refuse(
      'MISMATCH',
      OPERATION,
      `from.${name}`,
      `be ${what} (${show(start)})`,
      String(show(from)),
    );
  }
}

/** Returns the columns of a batch; throws for a name that the store does not have. */
function selectColumns(
  { description, catalog }: OpenStore,
  names: readonly string[] | undefined,
): Columns {
  const kinds = {
    tokens: catalog.shards.some(({ tokens }) => tokens),
    labels: catalog.shards.some(({ labels }) => labels),
  };
  const all = columnsOf(description, kinds);
  if (names === undefined) return all;
  if (!Array.isArray(names)) throwType(OPERATION, 'columns', 'be an array of names', names);
  const known = ['tokens', 'labels', 'targets', ...Object.keys(all.dense)];
  for (const [i, name] of names.entries()) {
    if (known.includes(name)) continue;
    const expected = `be one of ${known.map((known) => `'${known}'`).join(', ')}`;
    refuse('OUT_OF_RANGE', OPERATION, `columns[${i}]`, expected, JSON.stringify(name) ?? 'nothing');
  }
  return {
    tokens: all.tokens && names.includes('tokens'),
    labels: all.labels && names.includes('labels'),
    k: names.includes('targets') ? all.k : 0,
    dense: Object.fromEntries(Object.entries(all.dense).filter(([name]) => names.includes(name))),
  };
}

/** Gives out batches; reads the next window meanwhile. */
async function* iterate(
  store: OpenStore,
  windows: readonly Window[],
  columns: Columns,
  limit: number,
  position: BatchPosition,
): AsyncGenerator<TeacherBatch, void, undefined> {
  let { sequences } = position;
  let skip = sequences;
  let next = 0;
  while (next < windows.length && skip >= windows[next]!.sequences)
    skip -= windows[next++]!.sequences;
  const shards = new Map<string, Promise<ShardFile>>();
  const load = (i: number) => {
    const pieces = i < windows.length ? readWindow(store, windows[i]!, columns, shards) : undefined;
    pieces?.catch(() => undefined); // reported when the window is awaited
    return pieces;
  };
  let loading = load(next);
  let waiting: Piece[] = [];
  let rows = 0;
  const batch = (): TeacherBatch => {
    sequences += waiting.length;
    const gathered = gather(waiting, columns);
    waiting = [];
    rows = 0;
    return toBatch(gathered, columns, store.description, { ...position, sequences });
  };
  try {
    while (loading) {
      const pieces = (await loading).slice(skip);
      skip = 0;
      loading = load(++next);
      for (const piece of pieces) {
        if (rows + lengthOf(piece) > limit) yield batch();
        waiting.push(piece);
        rows += lengthOf(piece);
      }
    }
    if (waiting.length > 0) yield batch();
  } finally {
    await loading?.catch(() => undefined); // a reader that breaks off leaves no read behind
  }
}

/** Reads the sequences of a window, in the order in which they are given out. */
async function readWindow(
  { files, description }: OpenStore,
  { chunks, seed }: Window,
  columns: Columns,
  shards: Map<string, Promise<ShardFile>>,
): Promise<Piece[]> {
  const decoded = await Promise.all(
    chunks.map(async ({ shard, chunk }) => {
      const file = shards.get(shard.name) ?? openShard(OPERATION, files, shard, description);
      shards.delete(shard.name);
      shards.set(shard.name, file); // the last one used is the last one forgotten
      const opened = await file;
      const source = { files, description, columns };
      const rows = await decodeRows(OPERATION, source, opened, chunk.groups);
      if (rows.keys.length === chunk.sequences + (chunk.skip?.length ?? 0)) return rows;
      refuseShard(
        OPERATION,
        shard.name,
        `${rows.keys.length} keys in row group ${chunk.groups[0]}`,
      );
    }),
  );
  for (const name of shards.keys()) if (shards.size > FOOTERS) shards.delete(name);
  const pieces = decoded.flatMap((rows, i) => {
    const skip = new Set(chunks[i]!.chunk.skip);
    const kept = rows.keys.map((_, sequence) => ({ rows, sequence }));
    return skip.size === 0 ? kept : kept.filter(({ sequence }) => !skip.has(sequence));
  });
  if (seed !== undefined) shuffle(pieces, new Generator(seed));
  return pieces;
}

function toBatch(
  { keys, offsets, tokens, labels, targets, dense }: Rows,
  columns: Columns,
  { columns: classes, temperature }: TeacherStoreDescription,
  position: BatchPosition,
): TeacherBatch {
  const rows = offsets[keys.length]!;
  const matrices = Object.entries(dense).map(([name, data]) => [
    name,
    new Matrix(data, rows, columns.dense[name]!),
  ]);
  return {
    keys,
    offsets,
    tokens,
    labels,
    targets:
      targets &&
      new SparseTargets({
        indices: targets.indices,
        logProbabilities: new Matrix(targets.logProbabilities, rows, columns.k),
        columns: classes!,
        temperature,
        logTail: targets.logTail,
      }),
    dense: Object.fromEntries(matrices),
    position,
  };
}
