import { parseArgs } from 'node:util';
import { launchChromium } from '../test/support/chromium.js';
import { serveSite } from '../test/support/serve.js';

/**
 * Runs the page Benchmark of the built site in Chromium and prints its result as a visitor copies
 * it: `npm run site:benchmark -- --hash '#256x1000,64x32000,labels' --picture benchmark.png`.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      hash: { type: 'string', default: '' },
      picture: { type: 'string' },
    },
  });
  const site = await serveSite();
  const browser = await launchChromium();
  const context = await browser.newContext({
    viewport: { width: 1200, height: 630 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(200_000);
  await page.goto(`${site.url}benchmark.html${values.hash}`);
  await page.waitForLoadState('networkidle');
  await page.getByRole('button', { name: 'Measure' }).click();
  await page.getByRole('button', { name: 'Copy as text' }).click();
  await page.getByText('Copied as text').waitFor();
  console.log(await page.evaluate(() => navigator.clipboard.readText()));
  if (values.picture !== undefined) {
    await page.addStyleTag({ content: 'html { zoom: 1.5 } .VPNav { display: none }' });
    await page.getByRole('region', { name: ' × ' }).first().evaluate((section) => {
      scrollTo(0, section.getBoundingClientRect().top + scrollY);
    });
    await page.screenshot({ path: values.picture });
  }
  await browser.close();
  await site.close();
}

await main();
