import { shuffle, uniform } from '../core/random.js';
import type { Catalog, Chunk, Shard } from './catalog.js';

/** Number of chunks whose sequences are shuffled together. */
const WINDOW = 8;

/** A chunk and its shard. */
export interface PlacedChunk {
  readonly shard: Shard;
  readonly chunk: Chunk;
}

/** Chunks that are read together, and the seed by which their sequences are shuffled. */
export interface Window {
  readonly chunks: readonly PlacedChunk[];
  /** Number of sequences. */
  readonly sequences: number;
  /** Undefined if the sequences stay in the stored order. */
  readonly seed: number | undefined;
}

/** The part of a store that one of several workers reads. */
export interface BatchPart {
  /** Number of this part, an integer in [0, count). */
  readonly index: number;
  /** Number of parts, an integer ≥ 1. */
  readonly count: number;
}

/**
 * Returns the windows of a part in order. The result depends only on the catalog, the seed and the
 * part. The chunks are shuffled, then assigned to the parts in turn.
 */
export function windowsOf(
  { shards }: Catalog,
  seed: number | undefined,
  { index, count }: BatchPart,
): Window[] {
  const all = shards.flatMap((shard) => shard.chunks.map((chunk) => ({ shard, chunk })));
  const chunks = all.filter(({ chunk }) => chunk.sequences > 0);
  const random = seed === undefined ? undefined : uniform(seed);
  if (random) shuffle(chunks, random);
  const seeds = chunks.map(() => (random ? Math.floor(random() * 2 ** 32) : undefined));
  const own = chunks.filter((_, i) => i % count === index);
  const size = random ? WINDOW : 1;
  const windows: Window[] = [];
  for (let start = 0; start < own.length; start += size) {
    const some = own.slice(start, start + size);
    const sequences = some.reduce((total, { chunk }) => total + chunk.sequences, 0);
    windows.push({ chunks: some, sequences, seed: seeds[windows.length * count + index] });
  }
  return windows;
}
