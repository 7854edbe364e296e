import { refuse } from '../core/errors.js';
import type { ByteRange, StoreFiles } from './files.js';

/** How names of files begin that are being written; no pattern for shards matches them. */
const UNFINISHED = '.unfinished-';

/** Age in milliseconds from which a file that is being written belongs to a killed writer. */
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
export function folderStorage(operation: string, folder: string | { href: string }): StoreFiles {
  const fs = fileSystem(operation);
  const path =
    typeof folder === 'string' ? folder.replace(/[/\\]+$/, '') || '/' : pathOf(folder.href);
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

  /** Writes the bytes aside, on disk before `commit` gives the file its name. */
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

  /** A new name is on disk only when the folder is. Not every system can open a folder. */
  async function syncFolder(): Promise<void> {
    const handle = await fs.open(path).catch(() => undefined);
    await handle?.sync().catch(() => undefined);
    await handle?.close();
  }

  return {
    async list() {
      const names = await fs.readdir(path).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      return names.filter((name) => !name.startsWith(UNFINISHED));
    },
    read,
    size: async (name) => (await fs.stat(at(name))).size,
    write: (name, bytes) => writeAside(bytes, (aside) => fs.rename(aside, at(name))),
    create: (name, bytes) =>
      writeAside(bytes, (aside) =>
        fs.link(aside, at(name)).catch((error: unknown) => {
          if ((error as { code?: string }).code !== 'EEXIST') throw error;
        }),
      ),
    async prepare() {
      await fs.mkdir(path, { recursive: true });
      for (const name of await fs.readdir(path)) {
        if (!name.startsWith(UNFINISHED)) continue;
        const status = await fs.stat(at(name)).catch(() => undefined);
        if (status && Date.now() - status.mtimeMs > ABANDONED) {
          await fs.rm(at(name), { force: true });
        }
      }
    },
  };
}

/** The path of a `file:` URL; Windows has no slash before the drive. */
function pathOf(href: string): string {
  const path = decodeURIComponent(new URL(href).pathname).replace(/\/+$/, '');
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path || '/';
}

function isMissing(error: unknown): boolean {
  return (error as { code?: string }).code === 'ENOENT';
}
