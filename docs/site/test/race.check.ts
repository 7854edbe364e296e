import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findViolations } from './support/axe.js';
import { launchChromium } from './support/chromium.js';
import {
  drawStroke,
  numberIn,
  pause,
  readAnswers,
  startTraining,
  waitForStep,
} from './support/race.js';
import { type Site, serveSite } from './support/serve.js';
import { type Visit, visit } from './support/visit.js';

let site: Site;
let browser: Browser;
let visited: Visit;

beforeAll(async () => {
  site = await serveSite();
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

afterEach(async () => {
  await visited.page.context().close();
  expect(visited.complaints).toEqual([]);
  expect(visited.elsewhere).toEqual([]);
});

async function open(options?: BrowserContextOptions): Promise<Page> {
  visited = await visit(browser, site, 'race/', options);
  return visited.page;
}

const ZERO = Array.from({ length: 25 }, (_, step) => {
  const angle = (2 * Math.PI * step) / 24;
  return [0.5 + 0.2 * Math.sin(angle), 0.5 - 0.32 * Math.cos(angle)] as const;
});

describe('training', () => {
  test('a student starts at chance, approaches its teacher, and gives the same answers', async () => {
    const page = await open();
    await startTraining(page);
    await page.getByTestId('accuracy').waitFor();
    const { student: untrained } = await accuracies(page);
    await waitForStep(page, 300);
    await pause(page);
    const { teacher, student } = await accuracies(page);
    expect(untrained).toBeLessThan(0.3);
    expect(student).toBeGreaterThan(0.8);
    expect(teacher).toBeGreaterThan(0.9);
    expect(await numberIn(page, 'agreement')).toBeGreaterThan(80);

    await page.getByRole('button', { name: 'Clear' }).click();
    await drawStroke(page, [
      [0.5, 0.15],
      [0.5, 0.85],
    ]);
    await expect.poll(() => readAnswers(page)).toEqual({ teacher: '1', student: '1' });
    await page.getByRole('button', { name: 'Clear' }).click();
    await drawStroke(page, ZERO);
    await expect.poll(() => readAnswers(page)).toEqual({ teacher: '0', student: '0' });
    const card = page.getByRole('region', { name: 'Student' });
    await card.getByText('Agrees with the teacher').waitFor();
  });

  test('sliders change the steps that follow', async () => {
    const page = await open();
    await startTraining(page);
    await waitForStep(page, 2);
    await expect(await cost(page, 'response')).toMatch(/× 0\.40 =/);
    await expect(await cost(page, 'attention')).toMatch(/× 0\.30 =/);
    await page.getByLabel('Attention').fill('0');
    await page.getByLabel('Temperature').fill('6');
    await expect.poll(() => cost(page, 'attention')).toBe('–');
    await expect.poll(() => cost(page, 'response')).toMatch(/× 0\.57 =/);
    await expect.poll(() => cost(page, 'feature')).toMatch(/× 0\.43 =/);
    await page.getByLabel('Feature').fill('0');
    await expect.poll(() => cost(page, 'response')).toMatch(/× 1\.00 =/);
    await page.getByLabel('Response').fill('0'); // at least one weight must stay positive
    expect(await page.getByLabel('Response').inputValue()).toBe('5');
    expect(await cost(page, 'response')).toMatch(/× 1\.00 =/);
    await pause(page);
  });

  test('a second click on Pause sends no request, whose answer might arrive in a later training', async () => {
    const page = await open();
    await startTraining(page);
    await waitForStep(page, 1);
    const requests = await page.evaluate(() => {
      const { postMessage } = Worker.prototype;
      const sent: string[] = [];
      Worker.prototype.postMessage = function (...message: [unknown]) {
        sent.push((message[0] as { kind: string }).kind);
        postMessage.apply(this, message);
      };
      const button = document.querySelector<HTMLButtonElement>('.controls .primary')!;
      button.click();
      button.click();
      return sent;
    });
    expect(requests).toEqual(['pause']);
    await page.getByRole('button', { name: 'Train on' }).waitFor();
    await startTraining(page);
    await pause(page);
  });

  test('Start over gives an untrained student, and shows the earlier curve', async () => {
    const page = await open();
    await startTraining(page);
    await waitForStep(page, 30);
    await pause(page);
    await page.getByRole('button', { name: 'Start over' }).click();
    await page.getByRole('button', { name: 'Train the student' }).waitFor();
    expect(await numberIn(page, 'step')).toBe(0);
    await page.getByText('earlier student right').waitFor();

    await page.reload();
    await page.getByRole('button', { name: 'Train the student' }).waitFor();
    expect(await numberIn(page, 'step')).toBe(0);
  });
});

describe('drawing', () => {
  test('the keyboard draws: a vertical stroke is a one', async () => {
    const page = await open();
    await readAnswers(page); // the answers for the first digit
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByLabel('Drawing pad').focus();
    await page.keyboard.press('Space');
    for (let step = 0; step < 10; step++) await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowRight'); // with the pen up
    await expect.poll(() => readAnswers(page)).toMatchObject({ teacher: '1' });
  });

  test('a tap draws a dot', async () => {
    const page = await open();
    const pad = page.getByLabel('Drawing pad');
    const picture = () =>
      pad.locator('canvas').evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
    await readAnswers(page);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByRole('button', { name: 'Clear', disabled: true }).waitFor();
    const blank = await picture();
    await pad.click();
    await expect.poll(picture).not.toBe(blank);
  });

  test('only the first finger draws, and only on the pad', async () => {
    const page = await open({ hasTouch: true });
    await readAnswers(page);
    await page.getByRole('button', { name: 'Clear' }).click();
    const pad = page.getByLabel('Drawing pad');
    await pad.click({ button: 'right' });
    expect(await page.getByRole('button', { name: 'Clear' }).isDisabled()).toBe(true);
    await drawStroke(page, [
      [0.25, 0.2],
      [0.75, 0.2],
      [0.45, 0.9],
      [0.45, 4],
    ]);
    await expect.poll(() => readAnswers(page)).toMatchObject({ teacher: '7' });

    await page.getByRole('button', { name: 'Clear' }).click();
    const { x, y, width, height } = (await pad.boundingBox())!;
    const finger = (id: number, right: number, down: number) => ({
      id,
      x: x + right * width,
      y: y + down * height,
    });
    const session = await page.context().newCDPSession(page);
    const touch = (
      type: 'touchStart' | 'touchMove' | 'touchEnd',
      ...fingers: ReturnType<typeof finger>[]
    ) => session.send('Input.dispatchTouchEvent', { type, touchPoints: fingers });
    await touch('touchStart', finger(0, 0.5, 0.15));
    await touch('touchStart', finger(0, 0.5, 0.15), finger(1, 0.1, 0.9));
    for (let down = 0.2; down < 0.9; down += 0.1) {
      await touch('touchMove', finger(0, 0.5, down), finger(1, 0.1 + down / 4, 0.9));
    }
    await touch('touchEnd');
    await expect.poll(() => readAnswers(page)).toMatchObject({ teacher: '1' });
  });

  test('the teacher knows the held-out digits that the buttons offer', async () => {
    const page = await open();
    for (let digit = 0; digit < 10; digit++) {
      await page.getByRole('button', { name: `A handwritten ${digit}` }).click();
      await expect.poll(() => readAnswers(page)).toMatchObject({ teacher: String(digit) });
    }
  });

  test('a screen reader is told both answers once the drawing rests', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'A handwritten 4' }).click();
    await expect
      .poll(() => page.locator('[aria-live=polite]').textContent())
      .toMatch(/^The teacher says 4, \d+\s%\. The student says \d, \d+\s%\.$/);
  });
});

describe('the training survives', () => {
  test('a reload, with step, curve, recipe and drawing', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'A handwritten 7' }).click();
    await page.getByLabel('Feature').fill('60');
    await startTraining(page);
    await waitForStep(page, 45);
    await pause(page);
    const before = await state(page);
    await page.reload();
    await page.getByRole('button', { name: 'Train on' }).waitFor();
    expect(await state(page)).toEqual(before);
    await startTraining(page);
    await waitForStep(page, before.step + 5);
  });

  test('a failure of the worker: the page reports it, and a new worker goes on', async () => {
    const page = await open();
    await startTraining(page);
    await waitForStep(page, 45);
    await page.workers()[0]!.evaluate(() => {
      setTimeout(() => {
        throw new Error('out of memory, say');
      });
    });
    const alert = page.getByRole('alert');
    await alert.filter({ hasText: 'out of memory, say' }).waitFor();
    await goOnFromTheSnapshot(page);
    visited.complaints.splice(0); // the console prints the error, too
  });

  test('the end of the worker without a message', async () => {
    const page = await open();
    await startTraining(page);
    await waitForStep(page, 45);
    // The worker never answers.
    page
      .workers()[0]!
      .evaluate(() => close())
      .catch(() => undefined);
    await page.getByRole('alert').filter({ hasText: 'no sign of life' }).waitFor();
    await goOnFromTheSnapshot(page);
  });
});

test('without storage, the page trains, pauses and follows the sliders, and says that it keeps nothing', async () => {
  const page = await open();
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('not allowed here', 'SecurityError');
    };
  });
  await page.reload();
  await page.getByText('This browser keeps nothing').waitFor();
  await page.getByLabel('Attention').fill('0');
  await startTraining(page);
  await waitForStep(page, 2);
  await expect.poll(() => cost(page, 'response')).toMatch(/× 0\.57 =/);
  await page.getByTestId('accuracy').waitFor();
  await pause(page);
  await page.getByRole('button', { name: 'Start over' }).click();
  await page.getByRole('button', { name: 'Train the student' }).waitFor();
});

test('the page notices within seconds that a worker is gone, also after Start over', async () => {
  const page = await open();
  await startTraining(page);
  await waitForStep(page, 2);
  await pause(page);
  page
    .workers()[0]!
    .evaluate(() => close())
    .catch(() => undefined);
  await page.getByRole('button', { name: 'Start over' }).click();
  await page.getByRole('alert').filter({ hasText: 'no sign of life' }).waitFor();
});

test('a slow network is not reported as a failure', async () => {
  const page = await open();
  await page.clock.install();
  let arrive: () => void = () => undefined;
  const arrival = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  await page.context().route('**/teacher*.bin', async (route) => {
    await arrival;
    await route.continue();
  });
  await page.reload();
  await page.getByRole('button', { name: 'Loading' }).waitFor();
  await page.clock.runFor(60_000);
  expect(await page.getByRole('alert').count()).toBe(0);
  arrive();
  await page.getByRole('button', { name: 'Train the student' }).waitFor();
});

test('the loaded page works without a network', async () => {
  const page = await open();
  await page.getByRole('button', { name: 'Train the student' }).waitFor();
  await page.context().setOffline(true);
  await startTraining(page);
  await waitForStep(page, 25);
  await page.getByRole('button', { name: 'A handwritten 0' }).click();
  await expect.poll(() => readAnswers(page)).toMatchObject({ teacher: '0' });
  await pause(page);
});

test('the page has text before any script has run', async () => {
  const page = await open({ javaScriptEnabled: false });
  await page.getByRole('heading', { name: 'A small network learns from a big one' }).waitFor();
  await page.getByRole('heading', { name: 'The learning curve' }).waitFor();
});

test('bars and sliders are visible in forced colours', async () => {
  const page = await open({ forcedColors: 'active' });
  await readAnswers(page);
  const colors = (selector: string, property: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property);
  const card = await colors('.card', 'background-color');
  expect(await colors('.best .fill', 'background-color')).not.toBe(card);
  expect(await colors('input[type=range]', 'forced-color-adjust')).toBe('none');
});

test('at 400 % zoom, in a low window, the controls cover nothing', async () => {
  const page = await open({ viewport: { width: 320, height: 256 } });
  await readAnswers(page);
  const { height } = (await page.locator('.controls').boundingBox())!;
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await expect
    .poll(async () => (await page.locator('.controls').boundingBox())!.y)
    .toBeLessThan(-height);
});

describe.each(['light', 'dark'] as const)('in the %s scheme', (colorScheme) => {
  test('axe finds no violation at rest, while training, and after a failure of the worker', async () => {
    const page = await open({ colorScheme });
    await page.getByRole('button', { name: 'Train the student' }).waitFor();
    await readAnswers(page);
    expect(await findViolations(page)).toEqual([]);
    await page.getByText('The curve as a table').click();
    await startTraining(page);
    await waitForStep(page, 25);
    expect(await findViolations(page)).toEqual([]);
    await page.workers()[0]!.evaluate(() => {
      setTimeout(() => {
        throw new Error('out of memory, say');
      });
    });
    await page.getByRole('alert').waitFor();
    expect(await findViolations(page)).toEqual([]);
    visited.complaints.splice(0);
  });

  test('nothing is wider than the window, down to 320 pixels', async () => {
    const page = await open({ colorScheme });
    await readAnswers(page);
    for (const width of [320, 360, 390, 768, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      // The chart is resized in the next frame.
      await expect
        .poll(() => page.evaluate(() => document.documentElement.scrollWidth))
        .toBeLessThanOrEqual(width);
    }
    const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const isDark = Number(/\d+/.exec(paper)![0]) < 128;
    expect(isDark).toBe(colorScheme === 'dark');
  });
});

test('canvases have the colours of the scheme, also after the scheme changes', async () => {
  const page = await open({ colorScheme: 'light' });
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

async function accuracies(page: Page): Promise<{ teacher: number; student: number }> {
  const [teacher, student] = await Promise.all(
    ['teacher', 'student'].map(async (who) => {
      const facts = await page.locator(`.answer.${who} .facts`).textContent();
      return Number(/([\d.]+)\s%/.exec(facts!)?.[1]) / 100;
    }),
  );
  return { teacher: teacher!, student: student! };
}

async function cost(page: Page, component: string): Promise<string | null> {
  return page.getByTestId(`${component}-loss`).textContent();
}

async function state(page: Page) {
  return {
    step: await numberIn(page, 'step'),
    accuracy: await numberIn(page, 'accuracy'),
    agreement: await numberIn(page, 'agreement'),
    feature: await page.getByLabel('Feature').inputValue(),
    isSevenChosen: await page
      .getByRole('button', { name: 'A handwritten 7' })
      .getAttribute('aria-pressed'),
    curve: await page.locator('table').textContent(),
  };
}

/**
 * Clicks the button that names the step of the snapshot, and checks that a new worker resumes from
 * it with the curve, and trains.
 */
async function goOnFromTheSnapshot(page: Page): Promise<void> {
  const button = page.getByRole('button', { name: /^Go on from step/ });
  const step = Number(/\d+/.exec((await button.textContent())!)![0]);
  expect(step).toBeGreaterThan(0);
  const points = page.locator('tbody tr');
  const known = await points.count();
  await button.click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  expect(await numberIn(page, 'step')).toBeGreaterThanOrEqual(step);
  expect(await points.count()).toBeGreaterThanOrEqual(known);
  await waitForStep(page, step + 5);
  await pause(page);
}
