import { shuffle, uniform } from '../core/random.js';
import type { Catalog, Chunk, Shard } from './catalog.js';

/** Chunks whose sequences are shuffled together. */
const WINDOW = 8;

/** A chunk and the shard that has it. */
export interface PlacedChunk {
  readonly shard: Shard;
  readonly chunk: Chunk;
}

/** Chunks that are read together, and the seed for their sequences. */
export interface Window {
  readonly chunks: readonly PlacedChunk[];
  /** Number of sequences. */
  readonly sequences: number;
  /** Undefined if the sequences stay in their order. */
  readonly seed: number | undefined;
}

/** One of several workers that share a store. */
export interface BatchPart {
  /** Which of the parts; an integer in [0, count). */
  readonly index: number;
  /** Number of parts; an integer ≥ 1. */
  readonly count: number;
}

/**
 * Returns the windows of a part, in their order: a function of the catalog, the seed and the part
 * alone. The chunks are shuffled, then dealt round robin.
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
