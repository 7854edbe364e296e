import { rmSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './temporaryFolder.js';

/** A folder that goes when the test ends. */
export function newFolder(): string {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
