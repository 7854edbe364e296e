import fc from 'fast-check';
import type { BrowserContextOptions, Locator, Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import { readCatalogue } from '../../catalogue/catalogue.js';
import { CLASSES } from '../.vitepress/theme/laboratory/distributions.js';
import { isInLaboratory } from '../build/strategies.js';
import { findViolations } from './support/axe.js';
import { visits } from './support/visits.js';

// The page of the loss laboratory in Chromium, as a visitor uses it.

const names = readCatalogue()
  .filter(isInLaboratory)
  .map(({ name }) => name);

const { open: openAt, site } = visits('laboratory.html');

async function open(hash?: string, options?: BrowserContextOptions): Promise<Page> {
  const page = await openAt(hash, options);
  await page.waitForLoadState('networkidle');
  return page;
}

const bar = (page: Page, side: string, label: string): Locator =>
  page.getByRole('slider', { name: `${side}, ${label}` });
const share = async (slider: Locator): Promise<number> =>
  Number.parseInt((await slider.getAttribute('aria-valuetext'))!.replace(/^[<>]/, ''), 10);
/** The text of the row of a loss: its name and its value, or why there is none. */
const row = async (page: Page, name: string): Promise<string> =>
  (await page
    .locator('.losses label', { has: page.locator(`[value="${name}"]`) })
    .textContent())!.trim();

test('it shows every response loss, also without JavaScript', async () => {
  for (const javaScriptEnabled of [true, false]) {
    const page = await open('', { javaScriptEnabled });
    const losses = page.locator('.losses label');
    expect(
      await losses
        .locator('input')
        .evaluateAll((all) => all.map((each) => each.getAttribute('value'))),
    ).toEqual(names);
    for (const text of await losses.allTextContents()) expect(text).toMatch(/\d\.\d\d\s*$/);
  }
});

test('a bar follows the mouse, and all losses follow the bar', async () => {
  const page = await open();
  const before = await Promise.all(names.map((name) => row(page, name)));
  const cat = bar(page, 'student', 'cat');
  const { x, y, width, height } = (await cat.boundingBox())!;
  await page.mouse.move(x + width / 2, y + 0.7 * height);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y + 0.2 * height, { steps: 5 });
  await page.mouse.up();
  expect(await share(cat)).toBeGreaterThanOrEqual(79);
  expect(await share(cat)).toBeLessThanOrEqual(81);
  const after = await Promise.all(names.map((name) => row(page, name)));
  expect(after.filter((text, index) => text === before[index])).toEqual([]);
  await expect.poll(() => new URL(page.url()).hash).toMatch(/student=/);
  await page.reload();
  await expect.poll(() => share(cat)).toBeGreaterThanOrEqual(79);
  expect(await Promise.all(names.map((name) => row(page, name)))).toEqual(after);
});

test('a bar follows a finger', async () => {
  const phone = { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true };
  const page = await open('', phone);
  const bus = bar(page, 'teacher', 'bus');
  const { x, y, width, height } = (await bus.boundingBox())!;
  expect(await share(bus)).toBe(1);
  await page.touchscreen.tap(x + width / 2, y + height / 2);
  await expect.poll(() => share(bus)).toBeGreaterThan(45);
});

test('a bar follows the arrow keys', async () => {
  const page = await open();
  const dog = bar(page, 'student', 'dog');
  const before = await share(dog);
  await dog.focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowUp');
  await expect.poll(() => share(dog)).toBe(before + 3);
  expect(await dog.evaluate((each) => each === document.activeElement)).toBe(true);
});

test('the arrows point from the student to the teacher', async () => {
  const page = await open('#loss=Response');
  const pushes = page.locator('.pushes li');
  expect(await pushes.first().textContent()).toMatch(/dog\s*\+/);
  await bar(page, 'student', 'dog').focus();
  await page.keyboard.press('End');
  await expect.poll(() => pushes.first().textContent()).toMatch(/dog\s*−/);
  await page.getByRole('button', { name: 'Equal' }).click();
  await expect
    .poll(() => pushes.allTextContents())
    .toEqual(CLASSES.map((each) => expect.stringMatching(RegExp(`${each}\\s*0.00`))));
});

test('the student follows the chosen loss to the teacher', async () => {
  const page = await open('#loss=JensenShannon&T=1');
  await page.getByRole('button', { name: 'Let the student follow' }).click();
  await expect.poll(() => row(page, 'JensenShannon')).toMatch(/0\.0\d$/);
  await page.getByRole('button', { name: /Pause|Let the student follow/ }).waitFor();
});

test('a loss without its label says why there is no value', async () => {
  const page = await open('#loss=Decoupled&label=none');
  expect(await row(page, 'Decoupled')).toContain('labels must be a class for every row');
  await expect(page.locator('.refusal').textContent()).resolves.toContain('got none');
  await page.getByRole('combobox', { name: 'Label' }).selectOption('cat');
  await expect.poll(() => row(page, 'Decoupled')).toMatch(/\d\.\d\d$/);
});

test('an option of the chosen loss changes its value', async () => {
  const page = await open('#loss=SkewKL');
  const before = await row(page, 'SkewKL');
  await page.getByLabel('lambda').fill('0.9');
  await expect.poll(() => row(page, 'SkewKL')).not.toBe(before);
  await page.getByLabel('lambda').fill('3');
  await expect.poll(() => row(page, 'SkewKL')).toContain('lambda');
});

test('temperature and label change what is shown', async () => {
  const page = await open();
  const dog = bar(page, 'teacher', 'dog');
  const before = await share(dog);
  await page
    .getByRole('slider', { name: /^Temperature/ })
    .first()
    .press('End');
  await expect.poll(() => share(dog)).toBeLessThan(before / 2);
  const value = await row(page, 'ReverseKL');
  await page.getByRole('slider', { name: /weight of the label/ }).press('End');
  await expect.poll(() => row(page, 'ReverseKL')).not.toBe(value);
});

test('any address opens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.webFragments(), async (fragment) => {
      const page = await open(`#${fragment}`);
      await expect(
        page.getByRole('heading', { name: 'Loss laboratory' }).isVisible(),
      ).resolves.toBe(true);
      expect(await row(page, 'Response')).toMatch(/\d\.\d\d$/);
    }),
    { numRuns: 3 },
  );
});

test('a link can be copied, and shows the same to somebody else', async () => {
  const options = { permissions: ['clipboard-read', 'clipboard-write'] };
  const page = await open('#loss=TotalVariation&T=4', options);
  await page.getByRole('button', { name: 'Two modes' }).click();
  const copy = page.getByRole('button', { name: 'Copy link' });
  const place = await copy.boundingBox();
  await copy.click();
  await page.getByText('Link copied.').waitFor();
  expect(await copy.boundingBox()).toEqual(place);
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const value = await row(page, 'TotalVariation');
  const other = await open(new URL(link).hash);
  await expect.poll(() => row(other, 'TotalVariation')).toBe(value);
  expect(await other.getByRole('radio', { name: 'TotalVariation' }).isChecked()).toBe(true);
});

test('the back button leaves the page after any number of changes', async () => {
  const page = await open();
  await page.goto(`${site().url}strategies/reverseKL.html`);
  await page.getByRole('link', { name: 'Drag it in the laboratory' }).click();
  await page.getByRole('heading', { name: 'Loss laboratory' }).waitFor();
  await expect.poll(() => page.getByRole('radio', { name: /^ReverseKL/ }).isChecked()).toBe(true);
  expect(await page.evaluate(() => scrollY)).toBe(0);
  await page.getByRole('button', { name: 'Flat teacher' }).click();
  await page.getByRole('button', { name: 'Two modes' }).click();
  await expect.poll(() => page.url()).toContain('teacher=');
  await page.goBack();
  await page.getByRole('heading', { level: 1, name: 'ReverseKL' }).waitFor();
  await page.goForward();
  await page
    .getByRole('link', { name: 'Options, papers and speed' })
    .filter({ visible: true })
    .click();
  await page.getByRole('heading', { level: 1, name: 'ReverseKL' }).waitFor();
});

describe('the descent', () => {
  const facts = (page: Page) => page.locator('.facts').allTextContents();
  const fact = async (page: Page, side: 0 | 1, name: string): Promise<number> =>
    Number(RegExp(`${name}\\s*([\\d.]+)`).exec((await facts(page))[side]!)![1]);

  test('forward KL covers both peaks, and reverse KL seeks one', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByRole('button', { name: 'Start again' }).waitFor();
    expect(await fact(page, 0, 'width')).toBeGreaterThan(8);
    expect(await fact(page, 1, 'width')).toBeLessThan(3);
    expect(await fact(page, 1, 'centre')).toBeCloseTo(12, 0);
    expect((await page.locator('.place').allInnerTexts()).map((text) => text.trim())).toEqual([
      'Response: spread over both peaks',
      'ReverseKL: on the larger peak only',
    ]);
    await page.getByRole('button', { name: 'Reset' }).click();
    await expect.poll(() => fact(page, 1, 'step')).toBe(0);
  });

  test('it is one button away from the examples, and the address stays', async () => {
    const page = await open('#T=4');
    await page.getByRole('button', { name: 'See a student with one peak' }).click();
    const heading = page.getByRole('heading', { name: 'Forward covers, reverse seeks' });
    await expect.poll(() => heading.evaluate((one) => one === document.activeElement)).toBe(true);
    expect(new URL(page.url()).hash).toBe('#T=4');
  });

  test('it pauses, and goes on by steps', async () => {
    const page = await open('#mean=30&width=1');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await expect.poll(() => fact(page, 0, 'step')).toBeGreaterThan(2);
    const pause = page.getByRole('button', { name: 'Pause' });
    await pause.focus();
    await page.keyboard.press('Enter');
    const steps = await fact(page, 0, 'step');
    await page.locator('.descent').getByRole('button', { name: 'Step' }).click();
    await expect.poll(() => fact(page, 0, 'step')).toBe(steps + 1);
  });

  test('a student can begin elsewhere, and find the other peak', async () => {
    const page = await open();
    await page.getByRole('slider', { name: 'Start of the student of ReverseKL' }).fill('28');
    await expect.poll(() => fact(page, 0, 'centre')).toBe(28);
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByRole('button', { name: 'Start again' }).waitFor();
    expect(await fact(page, 1, 'centre')).toBeCloseTo(30, 0);
  });

  test('nothing moves by itself for those who ask for less motion', async () => {
    const page = await open('', { reducedMotion: 'reduce' });
    await page.locator('.descent').getByRole('button', { name: 'Ten steps' }).click();
    await expect.poll(() => fact(page, 0, 'step')).toBe(10);
    expect(await page.getByRole('button', { name: /^Start|follow/ }).count()).toBe(0);
  });

  test('the student stops where a visitor asks for less motion, and the button keeps the focus', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Let the student follow' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const tenSteps = page.getByRole('button', { name: 'Ten steps' }).first();
    await tenSteps.waitFor();
    expect(await tenSteps.evaluate((button) => button === document.activeElement)).toBe(true);
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    await page.getByRole('button', { name: 'Let the student follow' }).waitFor();
  });
});

const screens = [
  { width: 1280, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
  { width: 390, colorScheme: 'light' },
  { width: 320, colorScheme: 'dark' },
] as const;

test.each(screens)(
  'it is accessible at $width pixels, $colorScheme',
  async ({ width, colorScheme }) => {
    for (const hash of ['', '#loss=Decoupled&label=none']) {
      const page = await open(hash, { viewport: { width, height: 800 }, colorScheme });
      expect(await findViolations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    }
  },
);
