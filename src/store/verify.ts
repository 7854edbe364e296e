import { refuse } from '../core/errors.js';
import { listShards, MANIFEST_FILE, readManifest, type Shard } from './catalog.js';
import { checksumOf } from './checksum.js';
import { decodeRows } from './decode.js';
import type { OpenStore } from './openStore.js';
import { columnsOf } from './rows.js';
import { openShard } from './shardFile.js';

const OPERATION = 'TeacherStore.verify';

/** Reads every shard. Throws for the first file that is damaged, missing or not listed. */
export async function verifyStore(store: OpenStore): Promise<void> {
  const { files, catalog } = store;
  const manifest = await readManifest(OPERATION, files);
  const listed = new Set(manifest?.shards.map(({ name }) => name));
  // Without a manifest, an active writer may have added shards since the store was opened.
  const names = manifest && (await listShards(files));
  for (const name of names ?? []) {
    if (listed.has(name)) continue;
    const hint =
      'a writer that was killed leaves its shards unlisted: create a writer on this store and close it: it lists them';
    const expected = `be listed in ${MANIFEST_FILE}`;
    refuse('MISMATCH', OPERATION, name, expected, 'a file that is not', { hint });
  }
  for (const shard of (manifest ?? catalog).shards) await verifyShard(store, shard);
}

async function verifyShard({ files, description }: OpenStore, shard: Shard): Promise<void> {
  const { name, bytes: size, checksum, chunks, tokens, labels } = shard;
  const bytes = await files.read(name);
  if (!bytes) refuse('MISSING', OPERATION, name, 'be there: it is listed', 'no such file');
  if (bytes.length !== size) {
    refuse('DAMAGED', OPERATION, name, `have ${size} bytes`, `${bytes.length} bytes`);
  }
  if (checksum !== undefined) {
    const received = await checksumOf(OPERATION, bytes);
    if (received === checksum) return;
    refuse('DAMAGED', OPERATION, name, `have the checksum ${checksum}`, received);
  }
  // Without a manifest, a shard of another program has no checksum: its rows are read instead.
  const columns = columnsOf(description, { tokens, labels });
  const file = await openShard(OPERATION, files, shard, description);
  for (const { groups } of chunks) {
    await decodeRows(OPERATION, { files, description, columns }, file, groups);
  }
}
