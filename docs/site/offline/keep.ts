import { askWorkers } from './loaded.js';

/**
 * Keeps the page and the files that it has loaded, so that the page opens without a network the
 * next time. Call it once the page needs nothing more. Nothing happens where a browser has no
 * service workers, as on `file:`, or where a page is served for development.
 *
 * @param root - The root of the site, relative to the page.
 * @param files - Files that the page may need later, as addresses.
 */
export async function keepForOffline(root: string, files: readonly string[] = []): Promise<void> {
  const { serviceWorker } = navigator;
  if (!serviceWorker || !import.meta.env.PROD) return;
  await rest();
  const site = new URL(root, document.baseURI).href;
  const script = new URL('sw.js', site).href;
  try {
    await serviceWorker.register(script);
  } catch {
    return; // The browser or the host does not allow it.
  }
  // Until the site's own service worker takes over, another one of the host may have the page.
  while (serviceWorker.controller?.scriptURL !== script) {
    await new Promise((resolve) => {
      serviceWorker.addEventListener('controllerchange', resolve, { once: true });
    });
  }
  // From now on the service worker sees each file that is loaded. It adds those that came before.
  const keep = (loaded: readonly string[]): void => {
    serviceWorker.controller?.postMessage(loaded.filter((file) => file.startsWith(site)));
  };
  const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
  keep([location.href.split('#')[0]!, ...loaded, ...files]);
  askWorkers(keep);
}

/** Waits until the page is loaded and idle. */
async function rest(): Promise<void> {
  if (document.readyState !== 'complete') {
    await new Promise((resolve) => addEventListener('load', resolve, { once: true }));
  }
  const wait = globalThis.requestIdleCallback ?? setTimeout; // Safari has no idle callbacks
  await new Promise((resolve) => wait(resolve));
}
