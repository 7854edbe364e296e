import { fileURLToPath } from 'node:url';
import { preview } from 'vite';

/** The built site, as a web server gives it to a browser. */
export interface Site {
  /** The address of the site's folder; it ends with a slash. */
  readonly url: string;
  /** The files of the site that were requested so far. */
  readonly served: ReadonlySet<URL>;
  readonly close: () => Promise<void>;
}

/** Where a site is, and where a host shows it. */
export interface Place {
  readonly dist?: URL;
  readonly folder?: string;
}

/** Serves what `npm run site` has built, from a folder of a host. */
export async function serveSite({
  dist = new URL('../../dist/', import.meta.url),
  folder = '/some/folder/',
}: Place = {}): Promise<Site> {
  const server = await preview({
    configFile: false,
    root: fileURLToPath(new URL('../', dist)),
    base: folder,
    appType: 'mpa',
    build: { outDir: fileURLToPath(dist) },
    preview: { port: 0 },
    logLevel: 'warn',
  });
  const served = new Map<string, URL>();
  server.httpServer.prependListener('request', ({ url = folder }) => {
    const { pathname } = new URL(url, 'http://localhost');
    const name = pathname.slice(folder.length).replace(/(^|\/)$/, '$1index.html');
    served.set(name, new URL(name, dist));
  });
  return {
    url: server.resolvedUrls!.local[0]!,
    get served() {
      return new Set(served.values());
    },
    close: () => server.close(),
  };
}
