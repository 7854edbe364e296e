import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AxeResults } from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright';
import { type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCatalogue } from '../../catalogue/catalogue.js';

// The built site, as a web server gives it to a browser: from the root of a host and from a folder.

const site = fileURLToPath(new URL('../', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const BASES = ['/', '/some/folder/'];
const pages = readdirSync(join(site, 'dist'), { recursive: true, encoding: 'utf8' }).filter(
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

const servers: PreviewServer[] = [];
let browser: Browser;

beforeAll(async () => {
  const executablePath = process.env.CHROMIUM_PATH; // unset: the browser that playwright installs
  browser = await chromium.launch({
    ...(executablePath ? { executablePath } : {}),
    args: ['--no-sandbox', '--disable-gpu'],
  });
  for (const base of BASES) {
    const options = { configFile: false, root: site, base, appType: 'mpa' } as const;
    servers.push(await preview({ ...options, preview: { port: 0 }, logLevel: 'warn' }));
  }
});

afterAll(async () => {
  await browser?.close();
  for (const server of servers) await server.close();
});

const urlOf = (base: string) => servers[BASES.indexOf(base)]!.resolvedUrls!.local[0]!;

/** A page that fails the test by what it complains of or asks for elsewhere. */
async function visit(
  path: string,
  { base = '/', ...options }: { base?: string } & Parameters<Browser['newPage']>[0] = {},
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const url = urlOf(base);
  const page = await browser.newPage(options);
  page.setDefaultTimeout(60_000); // a busy machine is slow, not wrong
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) {
      complaints.push(`asked for ${request.url()}`);
    }
  });
  await page.goto(url + path);
  await use(page);
  await page.close();
  expect(complaints).toEqual([]);
}

describe.each(BASES)('served from %s', (base) => {
  test('every link leads to a page and a heading that are there', async () => {
    await visit('index.html', { base }, async (page) => {
      const { seen, broken } = await page.evaluate(walkLinks);
      expect(broken).toEqual([]);
      expect(seen).toBe(pages.length);
    });
  });

  test('a reader can go through the site without loading a page anew', async () => {
    await visit('index.html', { base }, async (page) => {
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
  });
});

/** Runs in the page: reads every page that links lead to, from the one that is open. */
async function walkLinks(): Promise<{ seen: number; broken: string[] }> {
  const root = new URL('.', location.href).href;
  const documents = new Map<string, Document | undefined>();
  const links: [from: string, to: string][] = [];
  const open = [location.href];
  while (open.length > 0) {
    const url = open.pop()!;
    if (documents.has(url)) continue;
    const response = await fetch(url);
    const isPage = response.headers.get('content-type')?.startsWith('text/html');
    if (!response.ok || !isPage) {
      documents.set(url, undefined);
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
    return !target || (anchor && !target.getElementById(decodeURIComponent(anchor)));
  });
  const seen = [...documents.values()].filter((found) => found !== undefined).length;
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
    await visit(path, options, async (page) => {
      expect(await violations(page)).toEqual([]);
    });
  });

  test('the search is accessible', async () => {
    await visit('guides/pytorch.html', options, async (page) => {
      await search(page, 'temperature');
      expect(await violations(page)).toEqual([]);
    });
  });
});

async function violations(page: Page): Promise<string[]> {
  await page.waitForLoadState('networkidle');
  await page.evaluate(axe);
  const results = await page.evaluate(() =>
    (window as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
  );
  return results.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`);
}

test('no page scrolls sideways on a phone', async () => {
  const phone = { viewport: { width: 390, height: 800 }, javaScriptEnabled: false };
  await visit('index.html', phone, async (page) => {
    const wide: string[] = [];
    for (const path of pages) {
      await page.goto(urlOf('/') + path, { waitUntil: 'load' });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 390) wide.push(`${path}: ${width}`);
    }
    expect(wide).toEqual([]);
  });
});

/** The addresses of what the search finds, best first. */
async function search(page: Page, query: string): Promise<string[]> {
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('searchbox').fill(query);
  const results = page.locator('.VPLocalSearchBox .result');
  await results.first().waitFor();
  await page.waitForTimeout(1000); // results come while one types
  return results.evaluateAll((links) => links.map((link) => link.getAttribute('href')!));
}

test.each([
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
])('the search for "%s" finds what it is about first', async (query, expected) => {
  await visit('index.html', {}, async (page) => {
    const [first] = await search(page, query);
    expect(first).toMatch(expected);
  });
});

test('the header leads to the speed of the library', async () => {
  await visit('index.html', {}, async (page) => {
    await page.getByRole('banner').getByRole('link', { name: 'Project' }).click();
    await page.getByRole('heading', { level: 1, name: 'Speed' }).waitFor();
  });
});

test('the chooser shows the code for the answers', async () => {
  await visit('choose.html', {}, async (page) => {
    const code = page.getByRole('region', { name: 'The loss for these answers' }).locator('pre');
    const shown = () => code.filter({ visible: true }).allTextContents();
    const expectCode = (text: string) =>
      expect.poll(shown).toEqual([expect.stringContaining(text)]);
    await expectCode('new ResponseDistillationStrategy({ temperature: 4, alpha: 0.3 })');
    await page.getByLabel('Yes, of another width').check();
    await expectCode('new LinearProjection(2, 3)');
    await page.getByLabel('No: logits of other classes').check();
    await expectCode('new UniversalLogitDistillationStrategy');
  });
});

test('drawings and pictures follow the scheme that the reader chooses', async () => {
  await visit('strategies/response.html', { colorScheme: 'light' }, async (page) => {
    const ink = () =>
      page
        .locator('.drawing text')
        .first()
        .evaluate((text) => getComputedStyle(text).fill);
    const light = await ink();
    await page.getByRole('switch').first().click();
    await expect.poll(ink).not.toBe(light);
  });
});

test('every strategy has a page with a formula, and with drawings where its example calls it', () => {
  for (const { name, file, example } of readCatalogue()) {
    const [page = ''] = file.split('/').slice(-1);
    const html = readFileSync(join(site, 'dist/strategies', page.replace('.ts', '.html')), 'utf8');
    expect(html).toContain(`>${name} <a`);
    expect(html).toContain('class="katex');
    const callsItself = !example.includes('computeLayerwise'); // and not by a hybrid
    expect(html.split('class="drawing"'), name).toHaveLength(callsItself ? 3 : 1);
  }
});
