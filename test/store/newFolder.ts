import { rmSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './temporaryFolder.js';

/** Makes a folder that is deleted at the end of the test. */
export function newFolder(): string {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
