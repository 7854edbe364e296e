import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import { readCatalogue } from '../../catalogue/catalogue.js';
import { findViolations } from './support/axe.js';
import { serveSite } from './support/serve.js';
import { visits } from './support/visits.js';

// The built site, as a web server gives it to a browser from a folder.

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const pages = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.html') && file !== '404.html',
);
/** One page of each kind. */
const KINDS = [
  'index.html',
  'start.html',
  'choose.html',
  'strategies/index.html',
  'strategies/response.html',
  'guides/pytorch.html',
  'guides/temperature.html',
  'examples/race.html',
  'project/parity.html',
  'reference/index.html',
  'reference/knowledge-distillation/classes/Matrix.html',
  'source/examples/shared/training.ts.html',
];

const { open, forgive, site } = visits('');

test.each([
  ['/', 'index.html'],
  ['/some/folder/', 'index.html'],
  ['/some/folder/', 'race/index.html'],
  ['/some/folder/', 'voice/index.html'],
])('in %s, every link leads on from %s to a page and a heading', async (folder, start) => {
  const served = await serveSite({ folder });
  try {
    const page = await open('index.html', {}, served);
    const { seen, broken } = await page.evaluate(walkLinks, start);
    expect(broken).toEqual([]);
    expect(seen).toBe(pages.length);
  } finally {
    await served.close();
  }
});

test('a reader can go through the site without loading a page anew', async () => {
  const page = await open('index.html');
  const heading = (name: string | RegExp) => page.getByRole('heading', { level: 1, name });
  await page.evaluate(() => Object.assign(window, { isOpenStill: true }));
  await page.getByRole('link', { name: 'Which loss?' }).first().click();
  await heading('Which loss?').waitFor();
  await page.getByRole('link', { name: 'Response', exact: true }).first().click();
  await heading('Response').waitFor();
  await page.getByRole('navigation').getByRole('link', { name: 'Guides' }).first().click();
  await heading('Choosing a loss').waitFor();
  await page.getByRole('link', { name: /^Next/ }).click();
  await page.getByRole('link', { name: /^Previous/ }).click();
  await heading('Choosing a loss').waitFor();
  expect(await page.evaluate(() => 'isOpenStill' in window)).toBe(true);
});

test('every page says what it is where its address is sent', () => {
  for (const file of pages) {
    const html = readFileSync(join(dist, file), 'utf8');
    const read = (property: string) =>
      [...html.matchAll(new RegExp(`<meta property="${property}" content="([^"]+)"`, 'g'))].map(
        ([, content]) => content!,
      );
    const [picture = '', ...others] = read('og:image');
    expect(others).toEqual([]);
    expect(existsSync(join(dist, dirname(file), picture)), `${file}: ${picture}`).toBe(true);
    expect(read('og:title'), file).toHaveLength(1);
    expect(read('og:description'), file).toHaveLength(1);
  }
});

test('a page starts where the hash of its address is malformed', async () => {
  const page = await open('choose.html#%zz');
  await page.getByLabel('Yes, of another width').check();
  await page.getByText('new LinearProjection(2, 3)').filter({ visible: true }).waitFor();
});

test('at a wrong address, the page that the host shows leads home', async () => {
  const page = await open();
  const path = join(dist, '404.html');
  await page.route('**/no/such/page', (route) => route.fulfill({ status: 404, path }));
  await page.goto(`${site().url}no/such/page`);
  await page.waitForFunction(() => document.querySelector('a')!.pathname !== '/');
  await page.getByRole('link', { name: 'Home' }).click();
  await page.getByRole('heading', { level: 1, name: 'knowledge-distillation' }).waitFor();
  forgive(); // the console reports the status 404
});

test('a part that an open page of an older build does not find is loaded as a page', async () => {
  const page = await open('guides/choosing.html', { serviceWorkers: 'block' });
  await page.route(/guides_hybrids\.md\.[^.]+\.js$/, (route) => route.abort());
  await page.evaluate(() => Object.assign(window, { isOpenStill: true }));
  const sidebar = page.locator('.VPSidebar');
  await sidebar.getByRole('link', { name: /hybrid/i }).click();
  await page.getByRole('heading', { level: 1, name: /hybrid/i }).waitFor();
  expect(await page.evaluate(() => 'isOpenStill' in window)).toBe(false);
  forgive(); // the console reports what was blocked
});

/** Runs in the home page: reads every page that links lead to, from one of the site. */
async function walkLinks(start: string): Promise<{ seen: number; broken: string[] }> {
  const root = new URL('.', location.href).href;
  // undefined: there is no such file; null: a file that is no page, such as a text of licences
  const documents = new Map<string, Document | null | undefined>();
  const links: [from: string, to: string][] = [];
  const open = [root + start];
  while (open.length > 0) {
    const url = open.pop()!;
    if (documents.has(url)) continue;
    const response = await fetch(url);
    const isPage = response.headers.get('content-type')?.startsWith('text/html');
    if (!response.ok || !isPage) {
      documents.set(url, response.ok ? null : undefined);
      continue;
    }
    const text = await response.text();
    const found = new DOMParser().parseFromString(text, 'text/html');
    documents.set(url, found);
    for (const link of found.querySelectorAll('a[href]')) {
      const target = new URL(link.getAttribute('href')!, url);
      if (!target.href.startsWith(root)) continue;
      if (target.pathname.endsWith('/')) target.pathname += 'index.html';
      links.push([url, target.href]);
      open.push(target.href.split('#')[0]!);
    }
  }
  const broken = links.filter(([, to]) => {
    const [file = '', anchor] = to.split('#');
    const target = documents.get(file);
    const isState = /\/(laboratory|race\/index)\.html$/.test(file) && anchor?.includes('=');
    if (target === undefined || !anchor || isState) return target === undefined;
    return !target?.getElementById(decodeURIComponent(anchor));
  });
  const seen = [...documents.values()].filter((found) => found).length;
  return { seen, broken: [...new Set(broken.map((each) => each.join(' → ')))] };
}

const screens = [
  { width: 1280, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
  { width: 390, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
] as const;

describe.each(screens)('at $width pixels in a $colorScheme scheme', ({ width, colorScheme }) => {
  const options = { viewport: { width, height: 800 }, colorScheme };

  test.each(KINDS)('%s is accessible', async (path) => {
    const page = await open(path, options);
    expect(await violations(page)).toEqual([]);
  });

  test('the search is accessible', async () => {
    const page = await open('guides/pytorch.html', options);
    await search(page, 'temperature');
    expect(await violations(page)).toEqual([]);
  });
});

async function violations(page: Page): Promise<string[]> {
  await page.waitForLoadState('networkidle');
  return findViolations(page);
}

test('no page scrolls sideways on a phone', async () => {
  const phone = { viewport: { width: 390, height: 800 }, javaScriptEnabled: false };
  const page = await open('index.html', phone);
  const wide: string[] = [];
  for (const path of pages) {
    await page.goto(site().url + path, { waitUntil: 'load' });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > 390) wide.push(`${path}: ${width}`);
  }
  expect(wide).toEqual([]);
});

/** The addresses of what the search finds, best first. */
async function search(page: Page, query: string): Promise<string[]> {
  const box = page.getByRole('searchbox');
  if (!(await box.isVisible())) await page.getByRole('button', { name: 'Search' }).click();
  await box.fill(query);
  const results = page.locator('.VPLocalSearchBox .result');
  await results.first().waitFor();
  await page.waitForTimeout(1000); // results come while one types
  return results.evaluateAll((links) => links.map((link) => link.getAttribute('href')!));
}

const SEARCHES = [
  ['which loss', /choose|guides\/choosing/],
  ['choose a loss', /choose|guides\/choosing/],
  ['T²', /guides\/temperature/],
  ['temperature', /guides\/temperature/],
  ['Hinton', /guides\/|strategies\/response/],
  ['pytorch', /guides\/pytorch/],
  ['kl_div', /guides\/pytorch/],
  ['webgpu', /guides\/(tensorflow|performance)/],
  ['mask prompts', /guides\/language-models.*#prompts-and-padding/],
  ['prompt', /guides\/language-models.*#prompts-and-padding/],
  ['padding', /guides\/language-models.*#prompts-and-padding/],
  ['prompts and padding', /guides\/language-models.*#prompts-and-padding/],
  ['speed', /project\/speed/],
  ['benchmark', /project\/speed/],
  ['how fast PyTorch', /project\/speed/],
  ['PyTorch speed', /project\/speed/],
  ['faster than PyTorch', /project\/speed/],
  ['capacity gap', /choose|guides\/choosing/],
  ['small student', /choose|guides\/choosing/],
] as const;

test('a search finds what it is about first', async () => {
  const page = await open('index.html');
  for (const [query, expected] of SEARCHES) {
    const [first] = await search(page, query);
    expect.soft(first, query).toMatch(expected);
  }
});

test('the header leads to the speed of the library', async () => {
  const page = await open('index.html');
  await page.getByRole('banner').getByRole('link', { name: 'Project' }).click();
  await page.getByRole('heading', { level: 1, name: 'Speed' }).waitFor();
});

test('the chooser shows the code for the answers', async () => {
  const page = await open('choose.html');
  const code = page.getByRole('region', { name: 'The loss for these answers' }).locator('pre');
  const shown = () => code.filter({ visible: true }).allTextContents();
  const expectCode = (text: string) => expect.poll(shown).toEqual([expect.stringContaining(text)]);
  await expectCode('new ResponseDistillationStrategy({ temperature: 4, alpha: 0.3 })');
  await page.getByLabel('Yes, of another width').check();
  await expectCode('new LinearProjection(2, 3)');
  await page.getByLabel('No: logits of other classes').check();
  await expectCode('new UniversalLogitDistillationStrategy');
});

test('drawings and pictures follow the scheme that the reader chooses', async () => {
  const page = await open('strategies/response.html', { colorScheme: 'light' });
  const ink = () =>
    page
      .locator('.drawing text')
      .first()
      .evaluate((text) => getComputedStyle(text).fill);
  const light = await ink();
  await page.getByRole('switch').first().click();
  await expect.poll(ink).not.toBe(light);
});

test('every strategy has a page with a formula, and with drawings where its example calls it', () => {
  for (const { name, file, example } of readCatalogue()) {
    const [page = ''] = file.split('/').slice(-1);
    const html = readFileSync(join(dist, 'strategies', page.replace('.ts', '.html')), 'utf8');
    expect(html).toContain(`>${name} <a`);
    expect(html).toContain('class="katex');
    const callsItself = !example.includes('computeLayerwise'); // and not by a hybrid
    expect(html.split('class="drawing"'), name).toHaveLength(callsItself ? 3 : 1);
  }
});
