import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright';
import { launchChromium } from '../../test/support/chromium.js';
import { AT_REST, startRace, waitForStep } from '../../test/support/race.js';
import { type Site, serveSite } from '../../test/support/serve.js';

const README = new URL('../../../../examples/race/screenshots/', import.meta.url);
const LINKS = new URL('../../pictures/', import.meta.url);

const VIEWS = [
  { name: 'light', colorScheme: 'light', width: 1280, height: 1300 },
  { name: 'dark', colorScheme: 'dark', width: 1280, height: 1300 },
  { name: 'phone', colorScheme: 'light', width: 390, height: 844 },
] as const;

/** Without what a picture of 1200 × 630 has no room for. */
const LINK_STYLE = `
  nav, .bar, .lead, .learn, details, footer { display: none }
  h1 { padding-block: 0.4rem 0.2rem; font-size: 3.4rem }
`;

/** Takes the pictures of the README of the race, and the picture of a link to it. */
async function main(): Promise<void> {
  const site = await serveSite();
  const browser = await launchChromium();
  await takeRace(browser, site);
  await browser.close();
  await site.close();
}

/** A race after its first lap, in both colour schemes, on a phone, and in a link. */
async function takeRace(browser: Browser, site: Site): Promise<void> {
  const page = await browser.newPage(AT_REST);
  page.setDefaultTimeout(0);
  await page.goto(`${site.url}race/`);
  await startRace(page);
  await waitForStep(page, 700);
  await page.getByText(/^After 700 steps/).waitFor();
  for (const { name, colorScheme, ...viewport } of VIEWS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    await settle(page);
    await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, README)) });
  }
  await page.setViewportSize({ width: 1280, height: 1300 });
  await page.getByText('Does the student look where the teacher looks?').click();
  const path = fileURLToPath(new URL('attention.png', README));
  await page.locator('details.attention').screenshot({ path });

  await page.addStyleTag({ content: LINK_STYLE });
  await page.setViewportSize({ width: 1200, height: 630 });
  await settle(page);
  await page.screenshot({ path: fileURLToPath(new URL('race.png', LINKS)) });
  await page.close();
}

/** Waits until the page is at its top, and painted. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    scrollTo(0, 0);
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
  });
}

await main();
