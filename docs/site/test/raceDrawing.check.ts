import { expect, test } from 'vitest';
import { AT_REST, drawStroke, readAnswers } from './support/race.js';
import { visits } from './support/visits.js';

const { open } = visits('race/');

test('the keyboard draws: a vertical stroke is a one; Clear keeps the focus', async () => {
  const page = await open('', AT_REST);
  await readAnswers(page); // the answers for the first digit
  const clear = page.getByRole('button', { name: 'Clear' });
  await clear.focus();
  await page.keyboard.press('Enter');
  expect(await clear.evaluate((button) => button === document.activeElement)).toBe(true);
  expect(await clear.getAttribute('aria-disabled')).toBe('true');
  await page.getByLabel('Drawing pad').focus();
  await page.keyboard.press('Space');
  for (let step = 0; step < 10; step++) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowRight'); // with the pen up
  await expect.poll(() => readAnswers(page)).toMatchObject({ teacher: '1' });
});

test('a tap draws a dot', async () => {
  const page = await open('', AT_REST);
  const pad = page.getByLabel('Drawing pad');
  const picture = () =>
    pad.locator('canvas').evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  await readAnswers(page);
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.locator('button[aria-disabled=true]').waitFor();
  const blank = await picture();
  await pad.click();
  await expect.poll(picture).not.toBe(blank);
});

test('only the first finger draws, and only on the pad', async () => {
  const page = await open('', { ...AT_REST, hasTouch: true });
  await readAnswers(page);
  const clear = page.getByRole('button', { name: 'Clear' });
  await clear.click();
  const pad = page.getByLabel('Drawing pad');
  await pad.click({ button: 'right' });
  expect(await clear.getAttribute('aria-disabled')).toBe('true');
  await drawStroke(page, [
    [0.25, 0.2],
    [0.75, 0.2],
    [0.45, 0.9],
    [0.45, 4],
  ]);
  await expect.poll(() => readAnswers(page)).toMatchObject({ teacher: '7' });

  await clear.click();
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

test('the teacher knows the held-out digits that the buttons offer; a screen reader is told the verdicts', async () => {
  const page = await open('', AT_REST);
  for (let digit = 0; digit < 10; digit++) {
    await page.getByRole('button', { name: `A handwritten ${digit}` }).click();
    await expect.poll(() => readAnswers(page)).toMatchObject({ teacher: String(digit) });
  }
  await expect
    .poll(() => page.locator('[aria-live=polite]').textContent())
    .toMatch(/^The teacher says 9, the student with labels only \d, the taught student \d\.$/);
});
