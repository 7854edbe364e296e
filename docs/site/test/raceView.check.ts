import type { Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import { lastOf, RESULTS } from '../../../examples/race/results.js';
import { findViolations } from './support/axe.js';
import { AT_REST, drawStroke, readAnswers, startRace, waitForStep } from './support/race.js';
import { visits } from './support/visits.js';

const { open, forgive } = visits('race/');

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;
const PRESETS = [
  'Labels only',
  'The teacher’s answers',
  'Hinton 2015',
  'TinyBERT-like',
  'Attention only',
];

test('the page and its description say what was recorded', async () => {
  const page = await open('', AT_REST);
  const [labels, answers] = (['Labels only', 'The teacher’s answers'] as const).map(
    (preset) => `about ${Math.round(100 * lastOf(RESULTS.students[preset]).accuracy)}\u202f% right`,
  );
  expect(await page.locator('.lead .labels').textContent()).toBe(`300 labels: ${labels}.`);
  expect(await page.locator('.lead .taught').textContent()).toBe(`${answers}.`);
  const description = await page.locator('meta[name=description]').getAttribute('content');
  expect(description).toContain(`With 300 labels: ${labels}.`);
  expect(description).toContain(`only a teacher's answers: ${answers}.`);
  const sent = page.locator('meta[property="og:description"]');
  expect(await sent.getAttribute('content')).toBe(description);
});

describe('the recipe', () => {
  test('each preset says what to watch; each slider changes the picture at once', async () => {
    const page = await open('', AT_REST);
    await readAnswers(page);
    const watched = new Set<string>();
    for (const name of PRESETS) {
      const preset = page.getByRole('button', { name, exact: true });
      await preset.click();
      expect(await preset.getAttribute('aria-pressed')).toBe('true');
      watched.add((await page.locator('.watch').textContent())!);
    }
    expect(watched.size).toBe(PRESETS.length);
    // Attention only: no answer is told, and what tells it has no effect.
    await page.getByText('The student is told nothing of this answer.').waitFor();
    for (const label of ['Temperature', 'Labels (α)']) {
      expect(await page.getByLabel(label).isDisabled()).toBe(true);
    }
    expect(await page.getByText('no effect: Response is 0').count()).toBe(2);

    await page.getByRole('button', { name: 'The teacher’s answers', exact: true }).click();
    const before = await told(page);
    expect(before).toMatch(/<\s1\s%|1\s%/);
    await page.getByLabel('Temperature').fill('8');
    const after = await told(page);
    expect(after).not.toBe(before);
    await page.getByText('Told at T = 8').waitFor();
    await page.getByLabel('Attention').fill('100');
    await page.getByText('50 %', { exact: true }).first().waitFor();
    expect(await lesson(page)).toBe('the teacher’s answers, attention for 3,000 images, no label');
    await page.getByLabel('Labels (α)').fill('0.5');
    expect(await lesson(page)).toMatch(/300 labels$/);
    await page.getByLabel('the 300 labelled ones').check();
    expect(await lesson(page)).toMatch(/for 300 images/);
    await page.getByLabel('Labels (α)').fill('1');
    await page.getByText('no effect: only labels are used').waitFor();
    expect(await page.getByLabel('Temperature').isDisabled()).toBe(true);
    await page.getByLabel('Response').fill('0');
    await page.getByLabel('Attention').fill('0'); // at least one weight must stay positive
    expect(await page.getByLabel('Attention').inputValue()).toBe('5');
  });

  test('its parts follow the sliders while the student trains', async () => {
    const page = await open('', AT_REST);
    await page.getByRole('button', { name: 'TinyBERT-like' }).click();
    await startRace(page);
    await waitForStep(page, 2);
    await expect.poll(() => cost(page, 'response')).toMatch(/× 0\.40 =/);
    await expect.poll(() => cost(page, 'attention')).toMatch(/× 0\.30 =/);
    await page.getByLabel('Attention').fill('0');
    await expect.poll(() => cost(page, 'attention')).toBe('–');
    await expect.poll(() => cost(page, 'response')).toMatch(/× 0\.57 =/);
    await expect.poll(() => cost(page, 'feature')).toMatch(/× 0\.43 =/);
    await expect.poll(() => page.getByTestId('overlap').textContent()).toMatch(/^\d+\s%$/);
  });

  test('its code follows the sliders, and can be copied', async () => {
    const page = await open('', { ...AT_REST, permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByText('Show the code for this recipe').click();
    const code = page.getByRole('region', { name: 'Code for this recipe' });
    expect(await code.textContent()).toContain('temperature: 3, alpha: 0 })');
    await page.getByLabel('Temperature').fill('5');
    expect(await code.textContent()).toContain('temperature: 5, alpha: 0 })');
    await page.getByRole('button', { name: 'Copy the code' }).click();
    await page.getByRole('status').filter({ hasText: 'Copied.' }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toBe(await code.textContent());
  });
});

describe('a link', () => {
  test('brings recipe and drawing to somebody else', async () => {
    const page = await open('', { ...AT_REST, permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByRole('button', { name: 'TinyBERT-like' }).click();
    await page.getByRole('button', { name: 'Clear' }).click();
    await drawStroke(page, [
      [0.5, 0.15],
      [0.5, 0.85],
    ]);
    await page.getByRole('button', { name: 'Copy link' }).click();
    await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    await expect.poll(() => page.url()).toBe(link);
    const recipe = await lesson(page);
    await page.context().close();

    const other = await open(new URL(link).hash, AT_REST);
    await expect.poll(() => readAnswers(other)).toMatchObject({ teacher: '1' });
    const preset = other.getByRole('button', { name: 'TinyBERT-like' });
    expect(await preset.getAttribute('aria-pressed')).toBe('true');
    expect(await lesson(other)).toBe(recipe);
  });

  test('that is broken opens the page as it is', async () => {
    const page = await open('#recipe=all-0-0-0-3-9&digit=12&strokes=%%%', AT_REST);
    await expect.poll(() => readAnswers(page)).toMatchObject({ teacher: '5' });
    expect(await lesson(page)).toBe('the teacher’s answers for 3,000 images, no label');
  });
});

test('on a phone, the bar has one line with all verdicts and covers no bars, and Share shares', async () => {
  const page = await open('', { ...AT_REST, ...PHONE });
  await page.addInitScript(() => {
    Object.assign(navigator, {
      share: async ({ url }: ShareData) => {
        document.title = `shared ${url}`;
      },
    });
  });
  await page.reload();
  const answers = await readAnswers(page);
  const bar = page.getByRole('region', { name: 'Training' });
  const { y, height } = (await bar.boundingBox())!;
  expect(height).toBeLessThan(64);
  for (const bars of await page.locator('.bars').all()) {
    expect((await bars.boundingBox())!.y).toBeGreaterThan(y + height);
  }
  const mark = (digit: string) => `${digit} ${digit === answers.teacher ? '✓' : '✗'}`;
  const verdicts = bar.getByRole('list', { name: 'Verdicts' }).locator('b');
  expect((await verdicts.allTextContents()).map((text) => text.trim())).toEqual([
    answers.teacher,
    mark(answers.labels),
    mark(answers.taught),
  ]);
  await page.evaluate(() => scrollTo(0, 1500));
  await expect.poll(async () => (await bar.boundingBox())!.y).toBeLessThan(16); // in sight

  await page.getByRole('button', { name: 'Share' }).click();
  await expect.poll(() => page.title()).toMatch(/^shared http.*#recipe=/);
  await page.getByText('Mix your own').click();
  await page.getByLabel('Temperature').waitFor();
});

test('without scripts, the page says what it shows, and does not pretend to load', async () => {
  const page = await open('', { javaScriptEnabled: false });
  await page.getByRole('heading', { name: 'Zero labels beat 300 labels' }).waitFor();
  const note = page.locator('.noscript'); // the text engine leaves noscript out;
  expect((await note.boundingBox())!.y).toBeLessThan(400);
  expect(await page.getByText('Loading').isVisible()).toBe(false);
});

test('where the teacher looks is folded behind a question', async () => {
  const page = await open('', AT_REST);
  await readAnswers(page);
  const map = page.getByRole('img', { name: 'Teacher: where head 1 looks from the chosen patch' });
  expect(await map.count()).toBe(0);
  await page.getByText('Does the student look where the teacher looks?').click();
  const picture = () => map.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  const before = await picture();
  await page.getByLabel('Row 4, column 4').hover();
  await expect.poll(picture).not.toBe(before);
  expect(await page.getByText(/^Overlap with the teacher: \d+\s% and \d+\s%$/).count()).toBe(2);
});

test('bars, sliders and the main button stand out in forced colours', async () => {
  const page = await open('', { ...AT_REST, forcedColors: 'active' });
  await readAnswers(page);
  await page.getByRole('button', { name: 'Start the race' }).waitFor();
  const colors = (selector: string, property: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property);
  const card = await colors('.card', 'background-color');
  expect(await colors('.best .fill', 'background-color')).not.toBe(card);
  expect(await colors('input[type=range]', 'forced-color-adjust')).toBe('none');
  expect(await colors('.bar .primary', 'background-color')).not.toBe(
    await colors('.recipe .again', 'background-color'),
  );
});

test('at 400 % zoom, in a low window, the bar covers nothing', async () => {
  const page = await open('', { ...AT_REST, viewport: { width: 320, height: 256 } });
  await readAnswers(page);
  const { height } = (await page.locator('.bar').boundingBox())!;
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await expect
    .poll(async () => (await page.locator('.bar').boundingBox())!.y)
    .toBeLessThan(-height);
});

describe.each(['light', 'dark'] as const)('in the %s scheme', (colorScheme) => {
  test('axe finds no violation at rest, while training, and after a failure; nothing is wider than the window', async () => {
    const page = await open('', { ...AT_REST, colorScheme });
    await page.getByRole('button', { name: 'Start the race' }).waitFor();
    await readAnswers(page);
    expect(await findViolations(page)).toEqual([]);
    await page.getByText('The curves as a table').click();
    await page.getByText('Show the code for this recipe').click();
    await page.getByText('Does the student look where the teacher looks?').click();
    await startRace(page);
    await waitForStep(page, 25);
    await page.getByRole('button', { name: 'Train a new student' }).click();
    await page.getByRole('button', { name: 'Remove all' }).waitFor();
    expect(await findViolations(page)).toEqual([]);
    for (const width of [320, 360, 390, 768, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      // The chart is resized in the next frame.
      await expect
        .poll(() => page.evaluate(() => document.documentElement.scrollWidth))
        .toBeLessThanOrEqual(width);
    }
    const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(Number(/\d+/.exec(paper)![0]) < 128).toBe(colorScheme === 'dark');
    await page.workers()[0]!.evaluate(() => {
      setTimeout(() => {
        throw new Error('out of memory, say');
      });
    });
    await page.getByRole('alert').waitFor();
    expect(await findViolations(page)).toEqual([]);
    forgive();
  });
});

test('canvases have the colours of the scheme, also after the scheme changes', async () => {
  const page = await open('', { ...AT_REST, colorScheme: 'light' });
  await readAnswers(page);
  const thumbnail = page.locator('.samples canvas').first();
  const brightness = () =>
    thumbnail.evaluate((canvas: HTMLCanvasElement) => {
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d')!;
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      return data.find((_, index) => index % 4 === 0 && data[index + 3] === 255);
    });
  expect(await brightness()).toBeLessThan(128);
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(brightness).toBeGreaterThan(128);
});

/** What the teacher tells the student, digit by digit. */
async function told(page: Page): Promise<string | null> {
  return page.getByRole('list', { name: 'What the teacher tells the student' }).textContent();
}

/** How the taught student learns, in a line. */
async function lesson(page: Page): Promise<string | null> {
  return page.locator('.answer.taught .facts').textContent();
}

async function cost(page: Page, component: string): Promise<string | null> {
  return page.getByTestId(`${component}-loss`).textContent();
}
