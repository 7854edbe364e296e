import { type Browser, chromium } from 'playwright';

/** Launches Chromium from CHROMIUM_PATH, or else the Chromium that playwright installs. */
export function launchChromium(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH;
  return chromium.launch({
    ...(executablePath ? { executablePath } : {}),
    args: ['--no-sandbox', '--disable-gpu'],
  });
}
