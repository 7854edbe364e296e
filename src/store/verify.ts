import { refuse } from '../core/errors.js';
import { listShards, MANIFEST_FILE, readManifest, type Shard } from './catalog.js';
import { checksum } from './checksum.js';
import { decodeRows } from './decode.js';
import type { OpenStore } from './openStore.js';
import { columnsOf } from './rows.js';
import { openShard } from './shardFile.js';

const OPERATION = 'TeacherStore.verify';

/** Reads every shard; rejects at the first that is damaged, missing or not listed. */
export async function verifyStore(store: OpenStore): Promise<void> {
  const { files, catalog } = store;
  const manifest = await readManifest(OPERATION, files);
  const names = await listShards(files);
  const listed = new Set((manifest ?? catalog).shards.map(({ name }) => name));
  for (const name of names ?? []) {
    if (listed.has(name)) continue;
    const hint = 'a writer that was killed leaves its shards unlisted: create and close one';
    const expected = `be listed in ${MANIFEST_FILE}`;
    refuse('MISMATCH', OPERATION, name, expected, 'a file that is not', { hint });
  }
  for (const shard of (manifest ?? catalog).shards) await verifyShard(store, shard);
}

async function verifyShard({ files, description }: OpenStore, shard: Shard): Promise<void> {
  const { name, bytes: size, sha256, chunks, tokens, labels } = shard;
  const bytes = await files.read(name);
  if (!bytes) refuse('MISSING', OPERATION, name, 'be there: it is listed', 'no such file');
  if (bytes.length !== size) {
    refuse('DAMAGED', OPERATION, name, `have ${size} bytes`, `${bytes.length} bytes`);
  }
  if (sha256 !== undefined) {
    const received = await checksum(OPERATION, bytes);
    if (received === sha256) return;
    refuse('DAMAGED', OPERATION, name, `have the checksum ${sha256}`, received);
  }
  // A shard of another program without a manifest has no checksum: see that it can be read.
  const columns = columnsOf(description, { tokens, labels });
  const file = await openShard(OPERATION, files, shard, description);
  for (const { groups } of chunks) {
    await decodeRows(OPERATION, { files, description, columns }, file, groups);
  }
}
