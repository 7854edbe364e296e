import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';

/** One answer of the server. */
export interface Answer {
  readonly path: string;
  readonly bytes: number;
  readonly isRange: boolean;
}

/** Serves the files of a folder, and ranges of them; calls `answered` for every answer. */
export function serveFolder(
  folder: string,
  answered: (answer: Answer) => void = () => undefined,
  ranges = true,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const path = decodeURIComponent(new URL(request.url!, 'http://localhost').pathname);
    const file = join(folder, normalize(path));
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    response.setHeader('Access-Control-Allow-Origin', '*');
    if (size === undefined) {
      response.writeHead(404).end();
      return;
    }
    const range = ranges ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') : null;
    const start = range ? Number(range[1]) : 0;
    const end = range ? Math.min(Number(range[2]), size - 1) : size - 1;
    const bytes = end - start + 1;
    response.writeHead(range ? 206 : 200, {
      'Content-Length': bytes,
      ...(range ? { 'Content-Range': `bytes ${start}-${end}/${size}` } : {}),
    });
    answered({ path, bytes, isRange: range !== null });
    createReadStream(file, { start, end: Math.max(end, 0) }).pipe(response);
  };
}

/** Starts a server on a free port of localhost. */
export async function startServer(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url: `http://127.0.0.1:${port}/`, stop };
}
