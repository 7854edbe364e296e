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

test('a new build is there at the next visit, and the files of the old one are removed', async () => {
  const dist = mkdtempSync(join(tmpdir(), 'site-'));
  const built = new URL('../dist/', import.meta.url);
  for (const name of ['race', 'sw.js']) {
    cpSync(fileURLToPath(new URL(name, built)), join(dist, name), { recursive: true });
  }
  const changing = await serveSite({ dist: pathToFileURL(`${dist}/`) });
  try {
    const page = await open('race/', changing);
    const [style] = await cached(page, '.css');
    const renamed = style!.replace('.css', '-new.css');
    renameSync(join(dist, 'race/assets', style!), join(dist, 'race/assets', renamed));
    edit(join(dist, 'race/index.html'), style!, renamed);
    edit(join(dist, 'race/index.html'), '<title>', '<title>New: ');
    edit(join(dist, 'sw.js'), /[0-9a-f]{16}/, '0123456789abcdef');

    await page.reload();
    expect(await page.title()).toMatch(/^New: /);
    const isNewInstalled = () =>
      page.evaluate(async () => {
        const registration = await navigator.serviceWorker.getRegistration();
        return registration!.waiting?.state === 'installed';
      });
    await expect.poll(isNewInstalled).toBe(true);
    const another = await page.context().newPage();
    await page.close(); // now no page has the old service worker
    const beside = new URL('/', changing.url).href; // which the service worker does not serve
    await another.route(beside, (route) => route.fulfill({ body: 'beside' }));
    await another.goto(beside);
    await expect.poll(() => another.evaluate(() => caches.keys())).toEqual([]);
    await another.goto(`${changing.url}race/`);
    await expect.poll(() => cached(another, '.css')).toEqual([renamed]);
    await waitUntilKept(another);
    await another.context().setOffline(true);
    await another.reload();
    expect(await another.title()).toMatch(/^New: /);
    forgive(); // the page beside the site is not of the site
  } finally {
    await changing.close();
    rmSync(dist, { recursive: true });
  }
});

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
