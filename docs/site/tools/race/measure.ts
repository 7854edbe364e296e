import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright';
import { LAP } from '../../../../examples/race/worker/settings.js';
import { formatMarkdown, replacePart } from '../../../../examples/shared/document.js';
import { formatTable } from '../../../../examples/shared/table.js';
import { launchChromium } from '../../test/support/chromium.js';
import { numberIn, waitForStep } from '../../test/support/race.js';
import { serveSite } from '../../test/support/serve.js';

const SECONDS = 10;
const README = new URL('../../../../examples/race/README.md', import.meta.url);

/**
 * Opens the race of the built site, draws for some seconds while it trains, waits for the end of the
 * lap, and prints what a visitor meets. With `--write`, the table of the README is written, too.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
  const site = await serveSite();
  const browser = await launchChromium();
  const page = await browser.newPage({ reducedMotion: 'reduce' }); // it does not start by itself

  const start = performance.now();
  await page.goto(`${site.url}race/`);
  await page.getByLabel('The teacher says').filter({ hasText: /^\d$/ }).waitFor();
  const answer = performance.now() - start;
  // The images of the students are requested once the teacher can answer.
  const first = [...site.served].filter(({ pathname }) => !/training|held-out/.test(pathname));
  const train = page.getByRole('button', { name: 'Start the race' });
  await train.waitFor();
  const ready = performance.now() - start;
  const firstPaint = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]!.startTime,
  );
  const files = [...site.served].map((file) => readFileSync(file));

  await train.click();
  const trainingStart = performance.now();
  const firstStep = await numberIn(page, 'step');
  const intervals = await measureFrames(page);
  const steps = (await numberIn(page, 'step')) - firstStep;
  await waitForStep(page, LAP);
  const race = performance.now() - trainingStart;
  await page.getByText(`After ${LAP} steps`).waitFor(); // the last results are there
  const [labels, taught] = [
    await page.getByTestId('labels-accuracy').textContent(),
    await page.getByTestId('taught-accuracy').textContent(),
  ];
  await browser.close();
  await site.close();

  const head = ['', 'measured'];
  const rows = [
        ['first contentful paint', formatMilliseconds(firstPaint, 0)],
        ['first answer of the teacher', formatMilliseconds(answer, 0)],
        ['bytes loaded before it, with gzip', formatMegabytes(first.map(compress))],
        ['ready to train', formatMilliseconds(ready, 0)],
        ['interval of frames, median', formatMilliseconds(quantile(intervals, 0.5), 1)],
        ['interval of frames, 95th percentile', formatMilliseconds(quantile(intervals, 0.95), 1)],
        ['training steps per second', (steps / SECONDS).toFixed(1)],
        [`a race of ${LAP} steps`, `${(race / 1000).toFixed(1)} s`],
        ['bytes loaded', formatMegabytes(files)],
        ['bytes loaded, with gzip', formatMegabytes(files.map((file) => gzipSync(file)))],
        ['right after the race, with labels', labels!],
        ['right after the race, with the teacher’s answers', taught!],
  ];
  console.log(formatTable(head, rows));
  if (!values.write) return;
  const readme = readFileSync(README, 'utf8');
  const table = formatMarkdown(head, rows);
  writeFileSync(README, replacePart(readme, 'npm run site:measure -- --write', table));
}

function compress(file: URL): Uint8Array {
  return gzipSync(readFileSync(file));
}

/** Draws circles for some seconds and returns the milliseconds between frames. */
async function measureFrames(page: Page): Promise<number[]> {
  const frames = page.evaluate(async (duration) => {
    const times = [await new Promise(requestAnimationFrame)];
    while (times.at(-1)! - times[0]! < duration) {
      times.push(await new Promise(requestAnimationFrame));
    }
    return times.slice(1).map((later, index) => later - times[index]!);
  }, 1000 * SECONDS);
  await page.getByRole('button', { name: 'Clear' }).click();
  const { x, y, width } = (await page.getByLabel('Drawing pad').boundingBox())!;
  let isDone = false;
  frames.finally(() => {
    isDone = true;
  });
  for (let angle = 0; !isDone; angle += 0.15) {
    await page.mouse.move(
      x + width * (0.5 + 0.3 * Math.sin(angle)),
      y + width * (0.5 + 0.3 * Math.cos(angle)),
    );
    if (angle === 0) await page.mouse.down();
    if (angle > 2 * Math.PI) {
      await page.mouse.up();
      await page.getByRole('button', { name: 'Clear' }).click();
      angle = -0.15;
    }
  }
  return frames;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(part * (sorted.length - 1))]!;
}

function formatMilliseconds(value: number, digits: number): string {
  return `${value.toFixed(digits)} ms`;
}

function formatMegabytes(files: readonly Uint8Array[]): string {
  return `${(files.reduce((sum, { length }) => sum + length, 0) / 1e6).toFixed(2)} MB`;
}

await main();
