import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { launchChromium } from './chromium.js';
import { type Site, serveSite } from './serve.js';
import { type Visit, visit } from './visit.js';

/** Visits to the site by the tests of a file. */
export interface Visits {
  /** Opens a page: `end` follows the path, such as the hash of a link. */
  readonly open: (end?: string, options?: BrowserContextOptions, from?: Site) => Promise<Page>;
  /** Forgets what the pages of this test have complained of, or asked for elsewhere, so far. */
  readonly forgive: () => void;
  /** The site, once the tests have begun. */
  readonly site: () => Site;
}

export interface Manners {
  /** More switches of Chromium's command line. */
  readonly switches?: readonly string[];
  /** Complaints that are part of what the tests do. */
  readonly forgiven?: RegExp;
}

/**
 * Serves the site to a browser. Closes each page after its test, and fails the test by what the page
 * has complained of, or has asked for elsewhere.
 */
export function visits(path: string, { switches = [], forgiven }: Manners = {}): Visits {
  let site: Site;
  let browser: Browser;
  let visited: Visit[] = [];
  beforeAll(async () => {
    site = await serveSite();
    browser = await launchChromium(...switches);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });
  afterEach(async () => {
    const ended = visited;
    visited = [];
    for (const { page } of ended) await page.context().close();
    const complaints = ended.flatMap((each) => each.complaints);
    expect(complaints.filter((text) => !forgiven?.test(text))).toEqual([]);
    expect(ended.flatMap(({ elsewhere }) => elsewhere)).toEqual([]);
  });
  return {
    open: async (end = '', options = {}, from = site) => {
      const begun = await visit(browser, from, path + end, options);
      visited.push(begun);
      return begun.page;
    },
    forgive: () => {
      for (const { complaints, elsewhere } of visited) {
        complaints.splice(0);
        elsewhere.splice(0);
      }
    },
    site: () => site,
  };
}
