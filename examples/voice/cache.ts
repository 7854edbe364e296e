import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { transformSync } from 'esbuild';

const FOLDER = new URL('cache/', import.meta.url);

/**
 * Returns the bytes that `make` returned in an earlier run of the same code for the same settings,
 * or calls it. Comments and formatting of the code do not count.
 *
 * @param sources - The files, relative to this folder, whose code decides the bytes.
 */
export async function cached(
  name: string,
  settings: unknown,
  sources: readonly string[],
  make: () => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const source of sources) hash.update(codeOf(new URL(source, import.meta.url)));
  const file = new URL(`${name}-${hash.digest('hex').slice(0, 16)}`, FOLDER);
  if (existsSync(file)) return readFileSync(file);
  const bytes = await make();
  mkdirSync(FOLDER, { recursive: true });
  const unfinished = new URL(`${file.href}.${process.pid}`);
  writeFileSync(unfinished, bytes);
  renameSync(unfinished, file); // an interrupted run leaves no half of a file
  return bytes;
}

function codeOf(source: URL): string {
  const text = readFileSync(source, 'utf8');
  return transformSync(text, { loader: 'ts', minifyWhitespace: true, legalComments: 'none' }).code;
}
