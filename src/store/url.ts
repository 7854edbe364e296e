import { refuse } from '../core/errors.js';
import type { ByteRange, StoreFiles } from './files.js';

/** Returns the files behind a URL, which is the URL of the folder of the store. */
export function urlStorage(operation: string, address: URL): StoreFiles {
  const folder = new URL(address);
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  const addressOf = (name: string): string => {
    const url = new URL(encodeURIComponent(name), folder);
    url.search = folder.search; // the signature of a signed URL
    return url.href;
  };
  const shownOf = (name: string): string => shownURL(new URL(addressOf(name)));

  async function read(name: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    const headers: Record<string, string> = range
      ? { Range: `bytes=${range.start}-${range.end - 1}` }
      : {};
    let response: Response;
    try {
      response = await fetch(addressOf(name), { headers });
    } catch (error) {
      const expected = 'be reachable';
      refuse('UNAVAILABLE', operation, shownOf(name), expected, String(error));
    }
    if (response.status === 404) return undefined;
    if (!response.ok) {
      const received = `HTTP ${response.status}`;
      refuse('UNAVAILABLE', operation, shownOf(name), 'be served', received);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (!range) return bytes;
    // A server that does not support ranges sends the whole file.
    const part = response.status === 206 ? bytes : bytes.subarray(range.start, range.end);
    if (part.length === range.end - range.start) return part;
    const expected = `have ${range.end} bytes`;
    refuse('DAMAGED', operation, name, expected, `${part.length} bytes from ${range.start}`);
  }

  const refuseWriting = async (): Promise<never> => {
    const hint = 'write into a folder, or a storage with `write`, and serve that';
    refuse('UNAVAILABLE', operation, 'where', 'be a folder or a storage', 'a URL', { hint });
  };
  return {
    list: async () => undefined,
    read,
    write: refuseWriting,
    create: refuseWriting,
    prepare: refuseWriting,
  };
}

/** An address as messages show it: the query may hold a signature, and the host a password. */
export function shownURL({ origin, pathname }: URL): string {
  return origin + pathname;
}
