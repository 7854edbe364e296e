import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { ENTRIES, KEYS } from '../.vitepress/theme/benchmark/entries.js';
import type { Result } from '../.vitepress/theme/benchmark/result.js';
import { findViolations } from './support/axe.js';
import { visits } from './support/visits.js';

// The page that measures in the visitor's browser. No test looks at how long something took.

const SMALL = '#4x10,8x16';
const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

const { open, forgive, site } = visits('benchmark.html');

const startButton = (page: Page) => page.getByRole('button', { name: /^(Measure|Stop)/ });
const rowOf = (page: Page, batch: string, library: string, name: string | RegExp) =>
  page
    .getByRole('region', { name: batch })
    .getByRole('list', { name: library })
    .getByRole('listitem')
    .filter({ hasText: name });

async function measure(page: Page): Promise<void> {
  await startButton(page).click();
  await page.getByRole('button', { name: 'Measure again' }).waitFor();
}

async function copied(page: Page, name: 'text' | 'JSON'): Promise<string> {
  await page.getByRole('button', { name: `Copy as ${name}` }).click();
  await page.getByText(`Copied as ${name}.`).waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
}

test('a visitor measures on one click, and takes the numbers along', async () => {
  const options = { permissions: ['clipboard-read', 'clipboard-write'] };
  const page = await open(SMALL, options);
  await page.waitForLoadState('networkidle');
  const before = [...site().served].map(String);
  expect(before.join()).not.toMatch(/tensorflow|jax/);
  await measure(page);
  const loaded = [...site().served].filter((file) => !before.includes(String(file)));
  await expectStatedSize(page, loaded);

  await expect
    .poll(() => rowOf(page, '4 × 10', 'this library', 'new gradient').textContent())
    .toMatch(/[mµ]s.*1 ×/);
  await expect
    .poll(() => rowOf(page, '8 × 16', 'TensorFlow.js', 'wasm').textContent())
    .toMatch(/1 thread.*[mµ]s.* ×/);
  await expect
    .poll(() => rowOf(page, '8 × 16', 'jax-js', 'wasm, jit').textContent())
    .toMatch(/[mµ]s.* ×/);
  const link = rowOf(page, '4 × 10', 'this library', 'arena, threads').getByRole('link');
  expect(await link.getAttribute('href')).toBe('?isolated#4x10,8x16');

  const result: Result = JSON.parse(await copied(page, 'JSON'));
  expect(result.groups.map(({ rows, columns }) => [rows, columns])).toEqual([
    [4, 10],
    [8, 16],
  ]);
  for (const { measurements } of result.groups) {
    expect(measurements.map(({ library, name }) => ({ library, name }))).toEqual(
      KEYS.map((key) => ENTRIES[key]),
    );
    const measured = measurements.filter((one) => 'times' in one);
    expect(measured.length).toBeGreaterThanOrEqual(7); // WebGL and WebGPU are not everywhere
    for (const { times, lossDifference, gradientDifference } of measured) {
      expect(times.length).toBeGreaterThanOrEqual(3);
      expect(lossDifference).toBeLessThan(1e-4);
      expect(gradientDifference).toBeLessThan(1e-4);
    }
  }
  const text = await copied(page, 'text');
  for (const key of KEYS) {
    expect(text).toContain(`  ${ENTRIES[key].library}, ${ENTRIES[key].name}`);
  }
  expect(text).toContain(`Kernel: ${result.machine.kernel}: `);

  await page.getByText('All numbers, in milliseconds').click();
  await expect
    .poll(() => page.getByRole('table', { name: '4 × 10' }).getByRole('row').count())
    .toBe(1 + KEYS.length);
  expect(await findViolations(page)).toEqual([]);
});

/** The bytes that the page announces are those that a run loads. */
async function expectStatedSize(page: Page, files: readonly URL[]): Promise<void> {
  const contents = files.map((file) => readFileSync(file));
  const megabytes = (parts: readonly Uint8Array[]) =>
    parts.reduce((sum, { length }) => sum + length, 0) / 1e6;
  const stated = async (id: string) =>
    Number.parseFloat((await page.getByTestId(id).textContent())!);
  expect(megabytes(contents)).toBeCloseTo(await stated('cost'), 1);
  expect(megabytes(contents.map((each) => gzipSync(each)))).toBeCloseTo(
    await stated('compressed'),
    2,
  );
}

test('an isolated page has threads, and what cannot be loaded stops nobody else', async () => {
  const options = {
    viewport: { width: 390, height: 800 },
    colorScheme: 'dark',
    serviceWorkers: 'block',
  } as const;
  const page = await open('', options);
  await page.context().route(`${site().url}**`, async (route) => {
    if (/tensorflow-/.test(route.request().url())) return route.abort();
    const response = await route.fetch();
    return route.fulfill({ response, headers: { ...response.headers(), ...ISOLATION } });
  });
  await page.goto(`${site().url}benchmark.html?isolated#4x10,8x16,labels`);
  expect(await findViolations(page)).toEqual([]);
  expect(await page.getByLabel('with labels').isChecked()).toBe(true);
  await measure(page);
  for (const batch of ['4 × 10', '8 × 16']) {
    const threads = rowOf(page, batch, 'this library', 'arena, threads');
    await expect.poll(() => threads.textContent()).toMatch(/\d threads.*[mµ]s.* ×/);
    const failed = rowOf(page, batch, 'TensorFlow.js', 'wasm');
    await expect.poll(() => failed.textContent()).toMatch(/Failed to fetch/);
    const last = rowOf(page, batch, 'jax-js', 'wasm, jit');
    await expect.poll(() => last.textContent()).toMatch(/[mµ]s.* ×/);
  }
  expect(await findViolations(page)).toEqual([]);
  await page.setViewportSize({ width: 320, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  forgive(); // the console reports what was blocked
});

test('a keyboard starts and stops, and the focus stays', async () => {
  const page = await open(SMALL);
  await page.getByLabel('with labels').focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const focused = page.locator(':focus');
  await expect.poll(() => focused.textContent()).toContain('Stop');
  await page.getByRole('progressbar', { name: 'Progress' }).waitFor();
  await page.keyboard.press('Enter');
  await expect.poll(() => focused.textContent()).toContain('Measure');
  expect(await page.getByRole('progressbar').count()).toBe(0);
  expect(await page.getByRole('status').first().textContent()).toBe('Stopped.');
});

test('a link that is opened in its own tab is followed, and a heading is not a link', async () => {
  const page = await open();
  const rows = page.getByLabel('rows').first();
  await expect.poll(() => rows.inputValue()).toBe('256');
  await page.evaluate((hash) => location.assign(hash), SMALL);
  await expect.poll(() => rows.inputValue()).toBe('4');
  await page.evaluate(() => location.assign('#batch-2'));
  await page.evaluate(() => location.assign('#4x10,8x17'));
  await expect.poll(() => page.getByLabel('classes').last().inputValue()).toBe('17');
  expect(await rows.inputValue()).toBe('4');
});

test('the settings stand in the address, and impossible ones are refused', async () => {
  const page = await open();
  const rows = page.getByLabel('rows').first();
  await expect.poll(() => rows.inputValue()).toBe('256');
  await rows.fill('12');
  await page.getByLabel('with labels').check();
  await expect.poll(() => new URL(page.url()).hash).toBe('#12x1000,64x32000,labels');
  await rows.fill('999999');
  await startButton(page).click();
  expect(await rows.evaluate((input: HTMLInputElement) => input.validationMessage)).toContain(
    'at most 4,194,304',
  );
  expect(await page.getByRole('button', { name: 'Stop' }).count()).toBe(0);
});
