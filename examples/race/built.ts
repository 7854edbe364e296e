import { fileURLToPath } from 'node:url';
import { preview } from 'vite';

interface Site {
  readonly url: string;
  /** The files of the built app that were requested so far. */
  readonly served: ReadonlySet<URL>;
  readonly close: () => Promise<void>;
}

const FOLDER = '/some/folder/';

/** Serves the built app from a subfolder of a site, as a web server would. */
export async function serveBuilt(): Promise<Site> {
  const server = await preview({
    configFile: fileURLToPath(new URL('vite.config.ts', import.meta.url)),
    base: FOLDER,
    preview: { port: 0 },
    logLevel: 'warn',
  });
  const served = new Map<string, URL>();
  server.httpServer.prependListener('request', ({ url = FOLDER }) => {
    const name = new URL(url, 'http://localhost').pathname.slice(FOLDER.length) || 'index.html';
    served.set(name, new URL(`dist/${name}`, import.meta.url));
  });
  return {
    url: server.resolvedUrls!.local[0]!,
    get served() {
      return new Set(served.values());
    },
    close: () => server.close(),
  };
}
