import type { Page } from 'playwright';

// What a visitor does on the page of the race.

/** Options of a visit on which the race does not start by itself. */
export const AT_REST = { reducedMotion: 'reduce' } as const;

export async function startRace(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^(Start the race|Go on)$/ }).click();
}

export async function pause(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Go on' }).waitFor();
}

/** Waits until both students have completed a number of steps. */
export async function waitForStep(page: Page, step: number): Promise<void> {
  const reads = (least: number): boolean => {
    const text = document.querySelector('[data-testid=step]')?.textContent ?? '';
    return Number(text.replace(',', '')) >= least;
  };
  await page.waitForFunction(reads, step, { timeout: 0 }); // the test has a limit
}

/** Returns the first number in the text of an element. */
export async function numberIn(page: Page, testId: string): Promise<number> {
  const text = (await page.getByTestId(testId).textContent()) ?? '';
  return Number.parseFloat(text.replace(',', ''));
}

/** Waits for the answers of all three for the image on the pad, and returns their digits. */
export async function readAnswers(
  page: Page,
): Promise<{ teacher: string; labels: string; taught: string }> {
  const read = async (label: string): Promise<string> => {
    const digit = page.getByLabel(label);
    await digit.filter({ hasText: /^\d$/ }).waitFor();
    return (await digit.textContent())!;
  };
  return {
    teacher: await read('The teacher says'),
    labels: await read('Labels only: the student says'),
    taught: await read('Taught: the student says'),
  };
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
