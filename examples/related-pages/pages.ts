import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The beginning of a page, of which the teacher sees no more. */
const CHARACTERS = 1800;

/** Pages of documentation, and what the teacher makes of each. */
export interface Pages {
  readonly titles: readonly string[];
  /** The first 1,800 characters of each. */
  readonly texts: readonly string[];
  /** A row of length 1 for each. */
  readonly embeddings: Float32Array;
}

/** Reads what the package has: a page a line, and the embeddings in the same order. */
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
