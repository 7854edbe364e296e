import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { launchChromium } from '../../test/support/chromium.js';
import { AT_REST, pause, readAnswers, startRace, waitForStep } from '../../test/support/race.js';
import { type Site, serveSite } from '../../test/support/serve.js';

const WIDTHS = [1280, 390] as const;
const SCHEMES = ['light', 'dark'] as const;
const FOLDER = join(tmpdir(), 'race-states');

/** Takes pictures of every state of the race, to look at: wide and narrow, light and dark. */
async function main(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const site = await serveSite();
  const browser = await launchChromium();
  await takeRefusal(browser, site);
  await takeRace(browser, site);
  await browser.close();
  await site.close();
  console.log(`The pictures are in ${FOLDER}.`);
}

/** The page without storage. */
async function takeRefusal(browser: Browser, site: Site): Promise<void> {
  const page = await browser.newPage(AT_REST);
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('not allowed here', 'SecurityError');
    };
  });
  await page.goto(`${site.url}race/`);
  await readAnswers(page);
  await take(page, 'refused');
  await page.close();
}

async function takeRace(browser: Browser, site: Site): Promise<void> {
  const page = await browser.newPage(AT_REST);
  page.setDefaultTimeout(0);
  let arrive: () => void = () => undefined;
  const arrival = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  await page.route('**/teacher*.bin', async (route) => {
    await arrival;
    await route.continue();
  });
  await page.goto(`${site.url}race/`);
  await page.getByText('You can draw already').waitFor();
  await take(page, 'loading');
  arrive();
  await startRace(page);
  await waitForStep(page, 60);
  await take(page, 'racing');
  await pause(page);
  await take(page, 'paused');
  await startRace(page);
  await waitForStep(page, 700);
  await page.getByText(/^After 700 steps/).waitFor();
  for (let digit = 0; digit < 10; digit++) {
    await page.getByRole('button', { name: `A handwritten ${digit}` }).click();
    await page.waitForTimeout(500);
    console.log(digit, await readAnswers(page));
  }
  await take(page, 'lap');
  for (const name of ['Hinton 2015', 'TinyBERT-like', 'Attention only']) {
    await page.getByRole('button', { name }).click();
    await take(page, name);
    await page.getByRole('button', { name: 'Train a new student' }).click();
    await page.waitForFunction(
      () => Number(document.querySelector('[data-testid=taught-step]')?.textContent) > 60,
    );
  }
  await pause(page);
  await page.getByRole('list', { name: 'Earlier students' }).getByRole('button').first().hover();
  await page.getByText('Show the code for this recipe').click();
  await page.getByText('Does the student look where the teacher looks?').click();
  await take(page, 'everything open');
  await page.workers()[0]!.evaluate(() => {
    setTimeout(() => {
      throw new Error('out of memory, say');
    });
  });
  await page.getByRole('alert').waitFor();
  await take(page, 'failed');
}

async function take(page: Page, state: string): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: width < 500 ? 844 : 900 });
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(() => {
        scrollTo(0, 0);
        return new Promise(requestAnimationFrame);
      });
      const path = join(FOLDER, `${state.replaceAll(' ', '-')}-${width}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
    }
  }
}

await main();
