import type { Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import type { PresetName } from '../../../examples/race/page/presets.js';
import { lastOf, RESULTS } from '../../../examples/race/results.js';
import {
  AT_REST,
  drawStroke,
  numberIn,
  pause,
  readAnswers,
  startRace,
  waitForStep,
} from './support/race.js';
import { visits } from './support/visits.js';

const { open, forgive } = visits('race/');

const ZERO = Array.from({ length: 25 }, (_, step) => {
  const angle = (2 * Math.PI * step) / 24;
  return [0.5 + 0.2 * Math.sin(angle), 0.5 - 0.32 * Math.cos(angle)] as const;
});

test('the race starts by itself; after a lap, no label beats 300 labels, and the race can go on', async () => {
  const page = await open();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await page.getByTestId('taught-accuracy').filter({ hasText: '%' }).waitFor();
  expect(await numberIn(page, 'taught-accuracy')).toBeLessThan(30);
  await waitForStep(page, 700);
  await page.getByText(/^After 700 steps: 9\d\.\d\s%/).waitFor();
  const [labels, taught] = [
    await numberIn(page, 'labels-accuracy'),
    await numberIn(page, 'taught-accuracy'),
  ];
  // What the page claims was recorded in Node.
  expect(Math.abs(labels - recordedOf('Labels only'))).toBeLessThan(3);
  expect(Math.abs(taught - recordedOf('The teacher’s answers'))).toBeLessThan(3);

  await page.getByRole('button', { name: 'Clear' }).click();
  await drawStroke(page, [
    [0.5, 0.15],
    [0.5, 0.85],
  ]);
  await expect.poll(() => readAnswers(page)).toMatchObject({ teacher: '1', taught: '1' });
  await page.getByRole('button', { name: 'Clear' }).click();
  await drawStroke(page, ZERO);
  await expect.poll(() => readAnswers(page)).toMatchObject({ teacher: '0', taught: '0' });
  const card = page.getByRole('region', { name: 'Taught' });
  await card.getByText('✓ agrees with the teacher').waitFor();

  await page.getByRole('button', { name: 'Go on' }).click();
  await waitForStep(page, 705);
  await page.getByText('of 1,400').waitFor();
  await pause(page);
});

describe('the race waits for the visitor', () => {
  test('with reduced motion', async () => {
    const page = await open('', AT_REST);
    await page.getByRole('button', { name: 'Start the race' }).waitFor();
    await twoFrames(page);
    expect(await page.getByRole('button', { name: 'Start the race' }).count()).toBe(1);
  });

  test('where data are saved', async () => {
    const page = await open();
    await page.addInitScript(() => {
      Object.defineProperty(navigator, 'connection', { value: { saveData: true } });
    });
    await page.evaluate(() => indexedDB.databases()); // settles the first visit
    await page.reload();
    await page.getByRole('button', { name: 'Start the race' }).waitFor();
    await twoFrames(page);
    expect(await page.getByRole('button', { name: 'Start the race' }).count()).toBe(1);
  });

  test('while the page is hidden, and after a reload if it was paused', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await hide(page, true);
    await page.getByRole('button', { name: /Start the race|Go on/ }).waitFor();
    await hide(page, false);
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await waitForStep(page, 2);
    await pause(page);
    await hide(page, true);
    await hide(page, false);
    await twoFrames(page);
    expect(await page.getByRole('button', { name: 'Go on' }).count()).toBe(1);
    await page.reload();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    await twoFrames(page);
    expect(await page.getByRole('button', { name: 'Go on' }).count()).toBe(1);
  });
});

test('a new student takes one click; earlier curves stay, after a reload too, until they are removed', async () => {
  const page = await open('', AT_REST);
  await startRace(page);
  await waitForStep(page, 45);
  await page.getByRole('button', { name: 'Hinton 2015' }).click();
  await page.getByRole('button', { name: 'Train a new student' }).click();
  const earlier = page.getByRole('list', { name: 'Earlier students' }).getByRole('button');
  await earlier.waitFor();
  expect(await earlier.textContent()).toMatch(/%.*The teacher’s answers/);
  await expect.poll(() => numberIn(page, 'taught-step')).toBeGreaterThan(0);
  expect(await numberIn(page, 'taught-step')).toBeLessThan(45);
  expect(await numberIn(page, 'labels-step')).toBeGreaterThanOrEqual(45);
  await page.getByText('waits for the other student').waitFor();
  await pause(page);

  await page.reload();
  await page.getByRole('button', { name: 'Go on' }).waitFor();
  expect(await earlier.count()).toBe(1);
  const chart = page.locator('.plot canvas');
  const picture = () => chart.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  const atRest = await picture();
  await earlier.hover();
  await expect.poll(picture).not.toBe(atRest);
  await page.getByRole('heading', { name: 'Earlier students' }).hover();
  await expect.poll(picture).toBe(atRest);
  await page.getByRole('button', { name: '70–100 %' }).click();
  await expect.poll(picture).not.toBe(atRest);
  await earlier.click(); // takes its recipe
  const answers = page.getByRole('button', { name: 'The teacher’s answers', exact: true });
  expect(await answers.getAttribute('aria-pressed')).toBe('true');
  await page.getByRole('button', { name: 'Remove all' }).press('Enter');
  await earlier.waitFor({ state: 'detached' });
  expect(await page.locator('section.curve').evaluate(hasFocus)).toBe(true);
});

test('a second click on Pause sends no request, whose answer might arrive in a later training', async () => {
  const page = await open('', AT_REST);
  await startRace(page);
  await waitForStep(page, 1);
  const requests = await page.evaluate(() => {
    const { postMessage } = Worker.prototype;
    const sent: string[] = [];
    Worker.prototype.postMessage = function (...message: [unknown]) {
      sent.push((message[0] as { kind: string }).kind);
      postMessage.apply(this, message);
    };
    const button = document.querySelector<HTMLButtonElement>('.bar .primary')!;
    button.click();
    button.click();
    Worker.prototype.postMessage = postMessage;
    return sent;
  });
  expect(requests.filter((kind) => kind === 'pause')).toHaveLength(2); // one for each student
});

describe('the race survives', () => {
  test('a reload, with steps, curves, recipe and drawing', async () => {
    const page = await open('', AT_REST);
    await page.getByRole('button', { name: 'A handwritten 7' }).click();
    await page.getByLabel('Feature').fill('60');
    await startRace(page);
    await waitForStep(page, 45);
    await pause(page);
    const before = await state(page);
    await page.reload();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    expect(await state(page)).toEqual(before);
    await startRace(page);
    await waitForStep(page, before.step + 5);
  });

  test('a failure of a worker: the page reports it, and a new worker goes on', async () => {
    const page = await open('', AT_REST);
    await startRace(page);
    await waitForStep(page, 45);
    await page.workers()[0]!.evaluate(() => {
      setTimeout(() => {
        throw new Error('out of memory, say');
      });
    });
    await page.getByRole('alert').filter({ hasText: 'out of memory, say' }).waitFor();
    await goOnFromTheSnapshot(page);
    forgive(); // the console prints the error, too
  });

  test('the end of a worker without a message', async () => {
    const page = await open('', AT_REST);
    await startRace(page);
    await waitForStep(page, 45);
    endWorker(page);
    await page.getByRole('alert').filter({ hasText: 'no sign of life' }).waitFor();
    await goOnFromTheSnapshot(page);
  });

  test('the end of a worker before a new student', async () => {
    const page = await open('', AT_REST);
    await startRace(page);
    await waitForStep(page, 2);
    await pause(page);
    endWorker(page);
    await page.getByRole('button', { name: 'Train a new student' }).click();
    await page.getByRole('alert').filter({ hasText: 'no sign of life' }).waitFor();
  });
});

test('without storage, the page races, pauses and follows the sliders, and says that it keeps nothing', async () => {
  const page = await open('', AT_REST);
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('not allowed here', 'SecurityError');
    };
  });
  await page.reload();
  await page.getByText('This browser keeps nothing').waitFor();
  await page.getByLabel('Attention').fill('100');
  await startRace(page);
  await waitForStep(page, 2);
  await expect.poll(() => page.getByTestId('response-loss').textContent()).toMatch(/× 0\.50 =/);
  await pause(page);
});

test('a slow network is not reported as a failure', async () => {
  const page = await open('', AT_REST);
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
  await page.getByText('You can draw already').waitFor();
  await page.clock.runFor(60_000);
  expect(await page.getByRole('alert').count()).toBe(0);
  arrive();
  await page.getByRole('button', { name: 'Start the race' }).waitFor();
});

test('the loaded page works without a network', async () => {
  const page = await open('', AT_REST);
  await page.getByRole('button', { name: 'Start the race' }).waitFor();
  await page.context().setOffline(true);
  await startRace(page);
  await waitForStep(page, 25);
  await page.getByRole('button', { name: 'A handwritten 0' }).click();
  await expect.poll(() => readAnswers(page)).toMatchObject({ teacher: '0' });
  await pause(page);
});

/** The recorded accuracy after a lap, in per cent. */
function recordedOf(preset: PresetName): number {
  return 100 * lastOf(RESULTS.students[preset]).accuracy;
}

async function state(page: Page) {
  return {
    step: await numberIn(page, 'step'),
    labels: await numberIn(page, 'labels-accuracy'),
    taught: await numberIn(page, 'taught-accuracy'),
    feature: await page.getByLabel('Feature').inputValue(),
    isSevenChosen: await page
      .getByRole('button', { name: 'A handwritten 7' })
      .getAttribute('aria-pressed'),
    curves: await page.locator('table').textContent(),
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
  await button.press('Enter');
  const pauses = page.getByRole('button', { name: 'Pause' });
  await pauses.waitFor();
  expect(await pauses.evaluate(hasFocus)).toBe(true);
  expect(await numberIn(page, 'step')).toBeGreaterThanOrEqual(step);
  expect(await page.locator('tbody tr').count()).toBeGreaterThan(2);
  await waitForStep(page, step + 25);
  await pause(page);
}

function hasFocus(element: Element): boolean {
  return element === document.activeElement;
}

/** Ends a worker, which does not answer any more. */
function endWorker(page: Page): void {
  page
    .workers()[0]!
    .evaluate(() => close())
    .catch(() => undefined);
}

/** Hides the page as a browser does when one looks at another tab, or shows it again. */
async function hide(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);
}

async function twoFrames(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
  });
}
