import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { launchChromium } from './chromium.js';
import { type Site, serveSite } from './serve.js';
import { type Visit, visit } from './visit.js';

/** Visits to the page of the race, one for each test. */
export interface RaceVisits {
  /** Opens the page; `hash` is the end of a link. */
  readonly open: (options?: BrowserContextOptions, hash?: string) => Promise<Page>;
  /** Forgets what the console has said so far. */
  readonly forgive: () => void;
}

/** Serves the site to a browser, and checks after each test that the page has not complained. */
export function visitRace(): RaceVisits {
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
  return {
    open: async (options, hash = '') => {
      visited = await visit(browser, site, `race/${hash}`, options);
      return visited.page;
    },
    forgive: () => {
      visited.complaints.splice(0);
    },
  };
}
