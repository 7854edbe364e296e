import { DistillationError, refuse } from '../core/errors.js';
import type { ByteRange, StoreFiles } from './files.js';

/**
 * Prefix of files that are being written. It begins with a dot, so they are not taken for shards.
 */
const UNFINISHED = '.unfinished-';

/** Age in milliseconds at which an unfinished file belongs to a killed writer: one hour. */
const ABANDONED = 3_600_000;

type FileSystem = typeof import('node:fs/promises');

function fileSystem(operation: string): FileSystem {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => unknown };
  };
  const fs = process?.getBuiltinModule?.('node:fs/promises') as FileSystem | undefined;
  if (fs) return fs;
  const hint = 'elsewhere, pass a URL or a storage of your own';
  const expected = 'be a URL or a storage: folders need Node 20.16 or later, Deno or Bun';
  refuse('UNAVAILABLE', operation, 'where', expected, 'a folder', { hint });
}

/** Returns the files of a folder, which need not exist yet. */
export function folderStorage(operation: string, folder: string): StoreFiles {
  const fs = fileSystem(operation);
  const path = folder.replace(/[/\\]+$/, '') || '/';
  const at = (name: string) => `${path}/${name}`;

  async function read(name: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    let file: Awaited<ReturnType<FileSystem['open']>>;
    try {
      file = await fs.open(at(name));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    try {
      if (!range) return await file.readFile();
      const bytes = new Uint8Array(range.end - range.start);
      let filled = 0;
      while (filled < bytes.length) {
        const place = range.start + filled;
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, place);
        if (bytesRead === 0) {
          const expected = `have ${range.end} bytes`;
          refuse('DAMAGED', operation, name, expected, `${place} bytes`);
        }
        filled += bytesRead;
      }
      return bytes;
    } finally {
      await file.close();
    }
  }

  /** Writes the bytes to an unfinished file and to disk, then calls `commit` to name the file. */
  async function writeAside(bytes: Uint8Array, commit: (aside: string) => Promise<void>) {
    const aside = at(`${UNFINISHED}${Math.random().toString(36).slice(2)}`);
    try {
      const file = await fs.open(aside, 'wx');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await commit(aside);
    } finally {
      await fs.rm(aside, { force: true });
    }
    await syncFolder();
  }

  /** Writes the folder, which holds the new name, to disk. Some systems cannot open a folder. */
  async function syncFolder(): Promise<void> {
    const handle = await fs.open(path).catch(() => undefined);
    await handle?.sync().catch(() => undefined);
    await handle?.close();
  }

  async function list(): Promise<string[]> {
    const names = await fs.readdir(path).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    return names.filter((name) => !name.startsWith(UNFINISHED));
  }

  const create = (name: string, bytes: Uint8Array) =>
    writeAside(bytes, (aside) =>
      fs.link(aside, at(name)).catch((error: unknown) => {
        if ((error as { code?: string }).code !== 'EEXIST') throw error;
      }),
    );

  async function prepare(): Promise<void> {
    await fs.mkdir(path, { recursive: true });
    for (const name of await fs.readdir(path)) {
      if (!name.startsWith(UNFINISHED)) continue;
      const status = await fs.stat(at(name)).catch(() => undefined);
      if (status && Date.now() - status.mtimeMs > ABANDONED) {
        await fs.rm(at(name), { force: true });
      }
    }
  }

  const report = <R>(task: Promise<R>) => reporting(operation, path, task);
  return {
    list: () => report(list()),
    read: (name, range) => report(read(name, range)),
    size: (name) => report(fs.stat(at(name)).then(({ size }) => size)),
    write: (name, bytes) => report(writeAside(bytes, (aside) => fs.rename(aside, at(name)))),
    create: (name, bytes) => report(create(name, bytes)),
    prepare: () => report(prepare()),
  };
}

/** Converts the errors of the file system to errors of the library. */
async function reporting<R>(operation: string, path: string, task: Promise<R>): Promise<R> {
  try {
    return await task;
  } catch (error) {
    if (error instanceof DistillationError) throw error;
    const received = error instanceof Error ? error.message : String(error);
    const expected = `be a folder that can be used (${path})`;
    refuse('UNAVAILABLE', operation, 'where', expected, received);
  }
}

function isMissing(error: unknown): boolean {
  return (error as { code?: string }).code === 'ENOENT';
}
