import { createHash } from 'node:crypto';
import { openTeacherStore } from 'knowledge-distillation/store';

/** Returns a checksum of each document's data in a store. */
export async function contentsOf(folder: string): Promise<Map<string, string>> {
  const store = await openTeacherStore(folder);
  await store.verify();
  const contents = new Map<string, string>();
  for await (const { keys, offsets, tokens, labels, targets } of store.batches({ rows: 4096 })) {
    const { indices, values } = targets!;
    keys.forEach((key, i) => {
      const [first, end] = [offsets[i]!, offsets[i + 1]!];
      const hash = createHash('sha256');
      hash.update(tokens!.slice(first, end)).update(labels!.slice(first, end));
      // Each row is hashed with its own classes only, since a batch is as wide as its widest row.
      for (let row = first; row < end; row++) {
        const width = values.columns;
        const kept = indices.slice(row * width, (row + 1) * width).filter((index) => index >= 0);
        hash.update(kept).update(values.data.slice(row * width, row * width + kept.length));
      }
      if (contents.has(key)) throw new Error(`${key} is twice in ${folder}`);
      contents.set(key, hash.digest('hex'));
    });
  }
  return contents;
}

/** Counts the documents that one store lacks, has in addition, or has with other data. */
export function compareContents(
  expected: ReadonlyMap<string, string>,
  actual: ReadonlyMap<string, string>,
): { lost: number; added: number; changed: number } {
  const shared = [...expected.keys()].filter((key) => actual.has(key));
  return {
    lost: expected.size - shared.length,
    added: actual.size - shared.length,
    changed: shared.filter((key) => actual.get(key) !== expected.get(key)).length,
  };
}
