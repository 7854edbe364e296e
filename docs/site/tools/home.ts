import { fileURLToPath } from 'node:url';
import { launchChromium } from '../test/support/chromium.js';
import { serveSite } from '../test/support/serve.js';

// Takes the picture of links to pages that have no picture of their own: the home page.

const site = await serveSite();
const browser = await launchChromium();
const page = await browser.newPage({
  reducedMotion: 'reduce',
  viewport: { width: 1200, height: 630 },
});
await page.goto(site.url, { waitUntil: 'networkidle' });
await page.screenshot({ path: fileURLToPath(new URL('../pictures/site.png', import.meta.url)) });
await browser.close();
await site.close();
