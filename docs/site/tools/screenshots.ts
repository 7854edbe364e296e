import { fileURLToPath } from 'node:url';
import { launchChromium } from '../test/support/chromium.js';
import { serveSite } from '../test/support/serve.js';

const VIEWS = [
  { name: 'light', colorScheme: 'light', width: 1280, height: 1340 },
  { name: 'dark', colorScheme: 'dark', width: 1280, height: 1340 },
  { name: 'phone', colorScheme: 'light', width: 390, height: 844 },
] as const;
const STEPS = 300;
const PICTURES = new URL('../../../examples/race/screenshots/', import.meta.url);

/**
 * Takes the pictures of the READMEs: a student in training, in both colour schemes and on a phone.
 */
async function main(): Promise<void> {
  const site = await serveSite();
  const browser = await launchChromium();
  for (const { name, colorScheme, ...viewport } of VIEWS) {
    const context = await browser.newContext({ viewport, colorScheme });
    const page = await context.newPage();
    page.setDefaultTimeout(100_000);
    await page.goto(`${site.url}race/`);
    await page.waitForFunction(
      (steps) => Number(document.querySelector('[data-testid=step]')?.textContent) >= steps,
      STEPS,
    );
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: pathOf(name) });
    if (name === 'light') {
      await page.setViewportSize({ ...viewport, height: 2 * viewport.height });
      await page
        .getByText('Does the student look where the teacher looks?')
        .click();
      await page.locator('details.attention').screenshot({ path: pathOf('attention') });
    }
    await context.close();
  }
  await browser.close();
  await site.close();
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`${name}.png`, PICTURES));
}

await main();
