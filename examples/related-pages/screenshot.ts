import { fileURLToPath } from 'node:url';
import { launchChromium } from '../../docs/site/test/support/chromium.js';
import { PAGE } from './page.js';

/** Takes the README's picture of the page that `npm run example:related-pages` wrote. */
const browser = await launchChromium();
const page = await browser.newPage({ viewport: { width: 1000, height: 860 } });
page.on('pageerror', (error) => {
  throw error;
});
await page.goto(PAGE.href);
await page.getByLabel('that the student has not seen').selectOption('Form Extensions');
await page.screenshot({ path: fileURLToPath(new URL('page.png', import.meta.url)) });
await browser.close();
