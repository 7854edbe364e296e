import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import { launchChromium } from '../test/support/chromium.js';
import { serveSite } from '../test/support/serve.js';

// Measures the built laboratory: the processor's time that a frame takes while a bar is dragged.
// With the argument "picture", takes the picture for links to it instead.

const FRAMES = 300;
const PICTURE = new URL('../pictures/laboratory.png', import.meta.url);

/** Milliseconds of the main thread for each frame, without the time that it waits. */
async function measureDrag(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busy = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
  await drag(page); // compiles the code
  const before = await busy();
  await drag(page);
  return ((await busy()) - before) * (1000 / FRAMES);
}

function drag(page: Page): Promise<void> {
  const bar = page.getByRole('slider', { name: 'student, dog' });
  return bar.evaluate(async (element, frames) => {
    for (let frame = 0; frame < frames; frame++) {
      (element as HTMLInputElement).value = String(0.1 + (0.8 * (frame % 50)) / 50);
      element.dispatchEvent(new Event('input', { bubbles: true }));
      await new Promise(requestAnimationFrame);
    }
  }, FRAMES);
}

/** Where two losses have taken the same student. */
async function takePicture(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('button', { name: 'Start again' }).waitFor();
  await page.locator('.descent').evaluate((descent) => {
    document.body.replaceChildren(descent);
    descent.classList.add('laboratory', 'vp-doc');
    descent.querySelector('h2')!.style.border = '0';
    Object.assign((descent as HTMLElement).style, { zoom: '1.2', paddingTop: '0' });
  });
  mkdirSync(new URL('./', PICTURE), { recursive: true });
  await page.screenshot({ path: fileURLToPath(PICTURE) });
}

const site = await serveSite();
const browser = await launchChromium();
const page = await browser.newPage({ viewport: { width: 1200, height: 630 } });
await page.goto(`${site.url}laboratory.html`, { waitUntil: 'networkidle' });
if (process.argv[2] === 'picture') await takePicture(page);
else console.log(`${(await measureDrag(page)).toFixed(2)} ms for each frame of a drag`);
await browser.close();
await site.close();
