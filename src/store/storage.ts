import { refuse, throwType } from '../core/errors.js';
import { typeTag } from '../core/numeric.js';
import type { ByteRange, StoreFiles } from './files.js';
import { folderStorage } from './folder.js';
import { urlStorage } from './url.js';

/**
 * A storage of your own for the files of a store, such as a bucket of an object storage, the
 * private file system of a browser or an archive. There are no folders in it: the names are
 * `store.json`, `manifest.json` and `*.parquet`.
 *
 * {@link openTeacherStore} needs `list` and `read`; {@link createTeacherStore} also needs `write`.
 */
export interface TeacherStorage {
  /** Lists the names of all files. */
  list(): Promise<readonly string[]>;
  /**
   * Reads a file, or its bytes in [start, end). Resolves to undefined if there is no such file.
   */
  read(
    name: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<Uint8Array | undefined>;
  /** Returns the size of a file in bytes. Without this method, the whole file is read instead. */
  size?(name: string): Promise<number>;
  /** Writes a file atomically: a reader never sees a part of it. */
  write?(name: string, bytes: Uint8Array): Promise<void>;
}

/** @inline The place of a store: a folder, a URL or a storage. */
export type StorePlace = string | { readonly href: string } | TeacherStorage;

/** Returns the files at a place. Throws if the value is not a place. */
export function filesAt(operation: string, where: StorePlace): StoreFiles {
  if (typeof where === 'string') {
    if (where === '') refuse('EMPTY', operation, 'where', 'name a folder or a URL', '""');
    // A single letter before a colon is a drive of Windows, not a protocol.
    const isUrl = /^[a-z][a-z\d+.-]+:\/\//i.test(where);
    return isUrl ? filesBehind(operation, where) : folderStorage(operation, where);
  }
  if (typeof where !== 'object' || where === null) {
    throwType(operation, 'where', 'be a folder, a URL or a storage with list and read', where);
  }
  if ('href' in where) return filesBehind(operation, where.href);
  const methods = where as unknown as Record<string, unknown>;
  for (const name of ['list', 'read', 'size', 'write']) {
    const isNeeded = name === 'list' || name === 'read';
    if (typeof methods[name] === 'function' || (methods[name] === undefined && !isNeeded)) continue;
    throwType(operation, `where.${name}`, 'be a function', methods[name]);
  }
  return filesOf(operation, where);
}

function filesBehind(operation: string, href: string): StoreFiles {
  const expected = 'be a URL of http:, https: or file:';
  if (typeof href !== 'string') throwType(operation, 'where.href', expected, href);
  let path: string;
  try {
    const url = new URL(href);
    if (/^https?:$/.test(url.protocol)) return urlStorage(operation, url);
    path = url.protocol === 'file:' && url.host === '' ? decodeURIComponent(url.pathname) : '';
  } catch {
    path = '';
  }
  if (path === '') refuse('OUT_OF_RANGE', operation, 'where', expected, JSON.stringify(href));
  // On Windows, a path has no slash before the drive.
  return folderStorage(operation, /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path);
}

function filesOf(operation: string, storage: TeacherStorage): StoreFiles {
  const read = async (name: string, range?: ByteRange) => {
    const given = await storage.read(name, range);
    if (given === undefined) return undefined;
    if (typeTag(given) !== 'Uint8Array') {
      throwType(operation, 'where.read', 'resolve to a Uint8Array or undefined', given);
    }
    // slice() of a subclass may not copy: the slices of a Buffer of Node share its memory.
    const bytes =
      Object.getPrototypeOf(given) === Uint8Array.prototype ? given : new Uint8Array(given);
    const wanted = range && range.end - range.start;
    if (wanted === undefined || bytes.length === wanted) return bytes;
    const received = `${bytes.length} bytes`;
    refuse('DAMAGED', operation, name, `give ${wanted} bytes from ${range!.start}`, received);
  };
  const write = (name: string, bytes: Uint8Array) => storage.write!(name, bytes);
  return {
    list: () => storage.list(),
    read,
    size: storage.size && ((name) => storage.size!(name)),
    write,
    create: async (name, bytes) => {
      if (!(await storage.list()).includes(name)) await write(name, bytes);
    },
    async prepare() {
      if (!storage.write) throwType(operation, 'where.write', 'be a function', undefined);
    },
  };
}
