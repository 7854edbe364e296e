import type { Page } from 'playwright';

// What a visitor does on the page of the race.

export async function startTraining(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Train/ }).click();
}

export async function pause(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Train on' }).waitFor();
}

export async function waitForStep(page: Page, step: number): Promise<void> {
  await page.waitForFunction(
    (least) => Number(document.querySelector('[data-testid=step]')?.textContent) >= least,
    step,
  );
}

/** Returns the first number in the text of an element. */
export async function numberIn(page: Page, testId: string): Promise<number> {
  return Number.parseFloat((await page.getByTestId(testId).textContent()) ?? '');
}

/** Waits for the answers of both models for the image on the pad, and returns their digits. */
export async function readAnswers(page: Page): Promise<{ teacher: string; student: string }> {
  const [teacher, student] = await Promise.all(
    ['teacher', 'student'].map(async (who) => {
      const digit = page.getByLabel(`The ${who} says`);
      await digit.filter({ hasText: /^\d$/ }).waitFor();
      return (await digit.textContent())!;
    }),
  );
  return { teacher: teacher!, student: student! };
}

/** Draws one stroke with the mouse; coordinates in [0, 1]. */
export async function drawStroke(
  page: Page,
  points: readonly (readonly [x: number, y: number])[],
): Promise<void> {
  const { x, y, width, height } = (await page.getByLabel('Drawing pad').boundingBox())!;
  const [first, ...others] = points.map(
    ([right, down]) => [x + right * width, y + down * height] as const,
  );
  await page.mouse.move(...first!);
  await page.mouse.down();
  for (const point of others) await page.mouse.move(...point, { steps: 4 });
  await page.mouse.up();
}
