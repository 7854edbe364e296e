import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Number of characters that are read of a page; the teacher has read no more. */
const CHARACTERS = 1800;

/** Pages of documentation with the teacher's embeddings. */
export interface Pages {
  readonly titles: readonly string[];
  /** The first 1,800 characters of each. */
  readonly texts: readonly string[];
  /** Embeddings, a row of length 1 for each page. */
  readonly embeddings: Float32Array;
}

/** Reads the files of the package: one page per line, and the embeddings in the same order. */
export function readPages(folder: string): Pages {
  const lines = readFileSync(join(folder, 'records.jsonl'), 'utf8').trimEnd().split('\n');
  const records = lines.map((line) => JSON.parse(line) as { title: string; content: string });
  const bytes = new Uint8Array(readFileSync(join(folder, 'embeddings.bin')));
  return {
    titles: records.map(({ title }) => title),
    texts: records.map(({ content }) => content.slice(0, CHARACTERS)),
    embeddings: new Float32Array(bytes.buffer),
  };
}
