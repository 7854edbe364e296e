import { clientsClaim, type WorkboxPlugin } from 'workbox-core';
import { registerRoute } from 'workbox-routing';
import { CacheFirst, NetworkFirst } from 'workbox-strategies';

// The service worker of the site: pages that were visited open without a network. A page comes from
// the network if there is one, so that a visitor sees a new build at the next visit. Each build has
// a cache of its own, and the worker of a new build waits until no page of the old one is open: no
// page meets files of two builds.

declare const self: ServiceWorkerGlobalScope;
/** Identifies the build; see build/offline.ts. */
declare const BUILD: string;

const { scope } = self.registration;
/** Other sites of the host have caches, too. */
const OWN_CACHES = `${scope} `;
const cacheName: string = OWN_CACHES + BUILD;
const SLOW_NETWORK_SECONDS = 3;

const plugin: WorkboxPlugin = {
  // `folder/`, `folder/index.html` and `folder/?isolated` are one page.
  cacheKeyWillBeUsed: async ({ request }) => {
    const { origin, pathname } = new URL(request.url);
    return origin + pathname.replace(/\/$/, '/index.html');
  },
  // A browser refuses a redirected response from a cache as a page.
  cacheWillUpdate: async ({ response }) =>
    response.status === 200 && !response.redirected ? response : null,
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

const isHashed = (url: URL): boolean =>
  url.href.startsWith(scope) && url.pathname.includes('/assets/');

registerRoute(({ url }) => isHashed(url), new CacheFirst({ cacheName, plugins: [plugin] }));
registerRoute(
  ({ url }) => url.href.startsWith(scope) && !isHashed(url),
  new NetworkFirst({
    cacheName,
    plugins: [plugin],
    networkTimeoutSeconds: SLOW_NETWORK_SECONDS,
  }),
);

clientsClaim();
self.addEventListener('activate', (event) => event.waitUntil(removeOldCaches()));

async function removeOldCaches(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(OWN_CACHES) && name !== cacheName);
  await Promise.all(old.map((name) => caches.delete(name)));
}
