import type { Browser, BrowserContextOptions, Page } from 'playwright';

/** A visit to the app with a fresh browser profile. */
export interface Visit {
  readonly page: Page;
  /** Complaints of the console and of the page. */
  readonly complaints: string[];
  /** Requested addresses on other hosts. */
  readonly elsewhere: string[];
}

export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(100_000); // a busy machine is slow
  const complaints: string[] = [];
  const elsewhere: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    const isOwn = origin === new URL(url).origin || protocol === 'data:' || protocol === 'blob:';
    if (!isOwn) elsewhere.push(request.url());
  });
  await page.goto(url);
  return { page, complaints, elsewhere };
}

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
