import { clientsClaim, type WorkboxPlugin } from 'workbox-core';
import { Route, Router } from 'workbox-routing';
import { CacheFirst, NetworkFirst } from 'workbox-strategies';

// The service worker of the site: pages that were visited open without a network. A page comes from
// the network if there is one, so that a visitor sees a new build at the next visit. Each build has
// a cache of its own, and the worker of a new build waits until no page of the old one is open: no
// page meets files of two builds. The cache of an old build serves until a page has come from the
// network, and this worker has all files of that page.

declare const self: ServiceWorkerGlobalScope;
/** Identifies the build; see build/offline.ts. */
declare const BUILD: string;

const { scope } = self.registration;
/** Other sites of the host have caches, too. */
const OWN_CACHES = `${scope} `;
const cacheName: string = OWN_CACHES + BUILD;
const SLOW_NETWORK_SECONDS = 3;

/** Whether the host has answered this worker. */
let hasNetwork = false;

const plugin: WorkboxPlugin = {
  // `folder/`, `folder/index.html` and `folder/?isolated` are one page.
  cacheKeyWillBeUsed: async ({ request }) => {
    const { origin, pathname } = new URL(request.url);
    return origin + pathname.replace(/\/$/, '/index.html');
  },
  // A browser refuses a redirected response from a cache as a page.
  cacheWillUpdate: async ({ response }) =>
    response.status === 200 && !response.redirected ? response : null,
  // A visitor may come back without a network just after this worker has replaced an older one.
  cachedResponseWillBeUsed: async ({ request, cachedResponse }) =>
    cachedResponse ?? takeFromOldCaches(request),
  fetchDidSucceed: async ({ response }) => {
    hasNetwork ||= response.ok;
    return response;
  },
  handlerWillRespond: async ({ request, response }) => {
    if (request.mode === 'navigate' && new URL(request.url).searchParams.has('isolated')) {
      return withHeaders(response, {
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      });
    }
    // An isolated page starts only web workers that have the same policy.
    if (request.destination === 'worker') {
      return withHeaders(response, { 'Cross-Origin-Embedder-Policy': 'require-corp' });
    }
    return response;
  },
  handlerDidError: async ({ request }) => {
    if (request.mode !== 'navigate') return Response.error();
    return new Response(UNREACHABLE, { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
  },
};

/** The page in place of one that is not kept, without a network. */
const UNREACHABLE: string = `<!doctype html>
<html lang="en">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>No network</title>
<body style="max-width: 36em; margin: 15vh auto; padding: 0 1.5em; font: 1.1em/1.5 system-ui">
<h1>No network</h1>
<p>This browser keeps the pages that you have visited, and has not yet met this one.</p>
<p><a href="${scope}index.html">Home</a></p>`;

function withHeaders(response: Response, added: Readonly<Record<string, string>>): Response {
  if (response.type === 'opaqueredirect') return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(added)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

async function takeFromOldCaches(request: Request): Promise<Response | undefined> {
  for (const name of (await oldCaches()).reverse()) {
    const found = await (await caches.open(name)).match(request);
    if (!found) continue;
    await (await caches.open(cacheName)).put(request, found.clone());
    return found;
  }
  return undefined;
}

async function oldCaches(): Promise<string[]> {
  const names = await caches.keys();
  return names.filter((name) => name.startsWith(OWN_CACHES) && name !== cacheName);
}

const isOfSite = ({ href }: URL): boolean => href.startsWith(scope);
const isHashed = ({ href }: URL): boolean => href.slice(scope.length).includes('assets/');

const router: Router = new Router();
const fromCache = new CacheFirst({ cacheName, plugins: [plugin] });
const fromNetwork = new NetworkFirst({
  cacheName,
  plugins: [plugin],
  networkTimeoutSeconds: SLOW_NETWORK_SECONDS,
});
router.registerRoute(new Route(({ url }) => isOfSite(url) && isHashed(url), fromCache));
router.registerRoute(new Route(({ url }) => isOfSite(url) && !isHashed(url), fromNetwork));
router.addFetchListener();

self.addEventListener('message', (event) => event.waitUntil(keep(event)));
clientsClaim();

/** Keeps the files that a page has loaded. */
async function keep(event: ExtendableMessageEvent): Promise<void> {
  const files: readonly string[] = event.data;
  await Promise.all(
    files.map((file) => router.handleRequest({ request: new Request(file), event })),
  );
  if (!hasNetwork) return;
  await Promise.all((await oldCaches()).map((name) => caches.delete(name)));
}
