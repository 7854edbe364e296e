import { fileURLToPath } from 'node:url';
import { launchChromium } from '../test/support/chromium.js';
import { serveSite } from '../test/support/serve.js';

// Takes the picture of a link to the voice page: the first clip, as both have heard it.

/** A picture of 1200 × 630 has room for the claim and the chart alone. */
const LINK_STYLE = `
  .lead, .sources, .meters, .results, footer, .position { display: none }
  #app { max-width: none; padding: 2.5rem 3.5rem 0 }
  header { max-width: none }
  h1 { font-size: 3.6rem }
  .eyebrow, .legend { font-size: 1.3rem }
  .plot { height: 18.5rem }
`;

const site = await serveSite();
const browser = await launchChromium();
const page = await browser.newPage({ viewport: { width: 1200, height: 630 } });
await page.goto(`${site.url}voice/`);
await page.getByTestId('agreement').waitFor();
await page.locator('.plot canvas').waitFor();
await page.addStyleTag({ content: LINK_STYLE });
await page.evaluate(async () => {
  // The chart takes its new size, and is painted.
  for (let frame = 0; frame < 4; frame++) await new Promise(requestAnimationFrame);
});
await page.screenshot({
  path: fileURLToPath(new URL('../pictures/voice.png', import.meta.url)),
});
await browser.close();
await site.close();
