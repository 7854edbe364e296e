import { type Browser, chromium } from 'playwright';

/**
 * Launches Chromium from CHROMIUM_PATH, or else the Chromium that playwright installs.
 *
 * @param switches More switches of Chromium's command line.
 */
export function launchChromium(...switches: readonly string[]): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH;
  return chromium.launch({
    ...(executablePath ? { executablePath } : {}),
    args: ['--no-sandbox', '--disable-gpu', ...switches],
  });
}
