import { shuffle, uniform } from '../core/random.js';
import { type BatchOptions, type TeacherBatch, toBatch } from './batch.js';
import { decodeRows } from './decode.js';
import type { OpenStore } from './openStore.js';
import type { Window } from './order.js';
import { type Columns, gather, lengthOf, type Piece } from './rows.js';
import { type Selection, selectBatches } from './selection.js';
import { openShard, refuseShard, type ShardFile } from './shardFile.js';

const OPERATION = 'TeacherStore.batches';

/** Number of shards whose footers are kept in memory. */
const KEPT_FOOTERS = 128;

/** Checks the options at once. The store is read when the result is iterated. */
export function readBatches(store: OpenStore, options: BatchOptions): AsyncIterable<TeacherBatch> {
  const selection = selectBatches(store, options);
  return { [Symbol.asyncIterator]: () => iterate(store, selection) };
}

/** Yields batches, and reads the next window meanwhile. */
async function* iterate(
  store: OpenStore,
  { windows, columns, rows: limit, position }: Selection,
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
    await loading?.catch(() => undefined); // no read is left behind if the iteration ends early
  }
}

/** Reads the sequences of a window, in the order in which they are returned. */
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
      shards.set(shard.name, file); // the most recently used footer is dropped last
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
  for (const name of shards.keys()) if (shards.size > KEPT_FOOTERS) shards.delete(name);
  const pieces = decoded.flatMap((rows, i) => {
    const skip = new Set(chunks[i]!.chunk.skip);
    const kept = rows.keys.map((_, sequence) => ({ rows, sequence }));
    return skip.size === 0 ? kept : kept.filter(({ sequence }) => !skip.has(sequence));
  });
  if (seed !== undefined) shuffle(pieces, uniform(seed));
  return pieces;
}
