import type { Browser, BrowserContextOptions, Page } from 'playwright';
import type { Site } from './serve.js';

/** A visit to a page with a fresh browser profile. */
export interface Visit {
  readonly page: Page;
  /** Complaints of the console and of the page. */
  readonly complaints: string[];
  /** Requested addresses that are not of the site. */
  readonly elsewhere: string[];
}

/** Opens a page of the site, whose path has no leading slash. */
export async function visit(
  browser: Browser,
  site: Site,
  path: string,
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
    const own = [site.url, 'data:', 'blob:'];
    if (!own.some((start) => request.url().startsWith(start))) elsewhere.push(request.url());
  });
  await page.goto(site.url + path);
  return { page, complaints, elsewhere };
}
