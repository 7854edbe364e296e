import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { AT_REST, pause, readAnswers, startRace, waitForStep } from './support/race.js';
import { type Site, serveSite } from './support/serve.js';
import { visits } from './support/visits.js';

// What the service worker does for visitors: pages without a network, new builds, isolation.

const {
  open: visit,
  forgive,
  site,
} = visits('', {
  // The console reports each request that finds no network, for example for the next page.
  forgiven: /^Failed to load resource/,
});

async function open(path: string, from?: Site): Promise<Page> {
  const page = await visit(path, AT_REST, from);
  await waitUntilKept(page);
  return page;
}

/** Waits until the caches have the page and all that it needed. */
async function waitUntilKept(page: Page): Promise<void> {
  const missing = () =>
    page.evaluate(async () => {
      const links = document.querySelectorAll<HTMLLinkElement>('link[rel=prefetch]');
      const ahead = new Set([...links].map(({ href }) => href)); // for pages that may come next
      const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
      const files = [location.href, ...loaded].filter(
        (name) => name.startsWith('http') && !ahead.has(name),
      );
      const keys = files.map((file) => file.replace(/\?.*|#.*/, '').replace(/\/$/, '/index.html'));
      const found = await Promise.all(keys.map((key) => caches.match(key)));
      return navigator.serviceWorker.controller ? keys.filter((_, index) => !found[index]) : keys;
    });
  await expect.poll(missing).toEqual([]);
}

test.each([
  ['index.html', 'knowledge-distillation'],
  ['guides/temperature.html', 'Temperature and T² in three pictures'],
  ['', 'knowledge-distillation'],
])('the page at "%s" opens without a network after one visit', async (path, heading) => {
  const page = await open(path);
  await page.context().setOffline(true);
  await page.reload();
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  await page.getByRole('switch').first().click(); // scripts run, too
  await page.locator('html.dark').waitFor();
});

test('the voice page has all files of its student without a network', async () => {
  const page = await open('voice/');
  await expect.poll(() => cached(page, '.js')).toContainEqual(expect.stringMatching(/worklet/));
  await page.context().setOffline(true);
  await page.reload();
  await page.getByRole('heading', { level: 1 }).waitFor();
});

test('the race trains without a network after one visit', async () => {
  const page = await open('race/');
  await readAnswers(page);
  await expect.poll(() => cached(page, '.bin')).toHaveLength(3); // loaded by the web worker
  await page.context().setOffline(true);
  await page.reload();
  await readAnswers(page);
  await startRace(page);
  await waitForStep(page, 5);
  await pause(page);
});

test('a page that a reader came to without loading it is kept, and others say what is missing', async () => {
  const page = await open('index.html');
  await page.getByRole('link', { name: 'Which loss?' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Which loss?' }).waitFor();
  await waitUntilKept(page);
  await expect
    .poll(() => cached(page, '.lean.js')) // a page that is loaded has other files
    .toContainEqual(expect.stringMatching(/^choose/));
  await page.context().setOffline(true);
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Which loss?' }).waitFor();

  await page.goto(`${site().url}project/sizes.html`);
  await page.getByRole('heading', { name: 'No network' }).waitFor();
  await page.getByRole('link', { name: 'Home' }).click();
  await page.getByRole('heading', { level: 1, name: 'knowledge-distillation' }).waitFor();
});

test('a new build is there at the next visit, and without a network after that', async () => {
  const copy = await serveRace('');
  try {
    const page = await open('race/', copy.site);
    const [style] = await cached(page, '.css');
    const renamed = style!.replace('.css', '-new.css');
    renameSync(join(copy.folder, 'race/assets', style!), join(copy.folder, 'race/assets', renamed));
    edit(join(copy.folder, 'race/index.html'), style!, renamed);
    copy.renew();

    await page.reload();
    expect(await page.title()).toMatch(/^New: /);
    await expect.poll(() => stateOfWorkers(page, copy.site.url)).toEqual([true, true]);
    await waitUntilKept(page);
    const another = await page.context().newPage();
    await page.close(); // now no page has the old service worker
    const beside = new URL('/', copy.site.url).href; // which the service worker does not serve
    await another.route(beside, (route) => route.fulfill({ body: 'beside' }));
    await another.goto(beside);
    await expect.poll(() => stateOfWorkers(another, copy.site.url)).toEqual([true, false]);
    await another.context().setOffline(true);
    await another.goto(`${copy.site.url}race/`);
    expect(await another.title()).toMatch(/^New: /);
    await readAnswers(another);

    await another.context().setOffline(false);
    await another.reload();
    await expect.poll(() => another.evaluate(() => caches.keys())).toHaveLength(1);
    await waitUntilKept(another);
    expect(await cached(another, '.css')).toEqual([renamed]);
    await another.context().setOffline(true);
    await another.reload();
    expect(await another.title()).toMatch(/^New: /);
    forgive(); // the page beside the site is not of the site
  } finally {
    await copy.close();
  }
});

test('a site in the folder of another service worker, and of that name, is kept and renewed', async () => {
  const copy = await serveRace('assets/demo/');
  try {
    const page = await visit('other.html', AT_REST, copy.site);
    await page.evaluate(() => navigator.serviceWorker.register('other.js'));
    await expect.poll(() => stateOfWorkers(page, copy.site.url)).toEqual([true, false]);
    await page.goto(`${copy.site.url}assets/demo/race/`);
    expect(await page.evaluate(() => navigator.serviceWorker.controller?.scriptURL)).toBeDefined();
    await waitUntilKept(page);
    copy.renew();
    await page.reload();
    expect(await page.title()).toMatch(/^New: /);
    await page.context().setOffline(true);
    await page.reload();
    expect(await page.title()).toMatch(/^New: /);
  } finally {
    await copy.close();
  }
});

/** Serves a copy of the race, in a folder of a site that has a service worker of its own. */
async function serveRace(inner: string) {
  const dist = mkdtempSync(join(tmpdir(), 'site-'));
  const folder = join(dist, inner);
  const built = new URL('../dist/', import.meta.url);
  for (const name of ['race', 'sw.js']) {
    cpSync(fileURLToPath(new URL(name, built)), join(folder, name), { recursive: true });
  }
  writeFileSync(join(dist, 'other.html'), '<!doctype html><link rel="icon" href="data:,">');
  writeFileSync(join(dist, 'other.js'), 'addEventListener("fetch", () => {});');
  const site = await serveSite({ dist: pathToFileURL(`${dist}/`) });
  return {
    site,
    folder,
    /** Changes the page, as another build does. */
    renew: () => {
      edit(join(folder, 'race/index.html'), '<title>', '<title>New: ');
      edit(join(folder, 'sw.js'), /[0-9a-f]{16}/, '0123456789abcdef');
    },
    close: async () => {
      await site.close();
      rmSync(dist, { recursive: true });
    },
  };
}

/** Whether a site has an active service worker, and whether it has one that waits. */
function stateOfWorkers(page: Page, url: string): Promise<boolean[]> {
  return page.evaluate(async (site) => {
    const registration = await navigator.serviceWorker.getRegistration(site);
    return [
      registration?.active?.state === 'activated',
      registration?.waiting?.state === 'installed',
    ];
  }, url);
}

/** The names of the files in all caches that end so. */
function cached(page: Page, end: string): Promise<string[]> {
  return page.evaluate(async (ending) => {
    const names = await caches.keys();
    const all = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    const files = all.flat().map(({ url }) => url.split('/').at(-1)!);
    return files.filter((file) => file.endsWith(ending));
  }, end);
}

function edit(file: string, found: string | RegExp, replacement: string): void {
  const text = readFileSync(file, 'utf8');
  const edited = text.replace(found, replacement);
  if (edited === text) throw new Error(`${file} does not contain ${found}`);
  writeFileSync(file, edited);
}

test('with "?isolated", a page is isolated and its web workers run', async () => {
  const page = await open('race/');
  const isIsolated = () => page.evaluate(() => crossOriginIsolated);
  expect(await isIsolated()).toBe(false);
  await page.goto(`${site().url}race/?isolated`);
  expect(await isIsolated()).toBe(true);
  await readAnswers(page);
});
