import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const FOLDER = new URL('cache/', import.meta.url);

/** The files that fix the versions of all packages. */
const LOCKS = ['package-lock.json', '../../package-lock.json'];

/**
 * Returns the bytes that `make` returned in an earlier run of the same code for the same settings,
 * or calls it. Comments and formatting of the code do not count.
 *
 * @param modules - The files, relative to this folder, that decide the bytes together with the
 *   modules that they import and the packages.
 */
export async function cached(
  name: string,
  settings: unknown,
  modules: readonly string[],
  make: () => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const code of await codeOf(modules)) hash.update(code);
  for (const lock of LOCKS) hash.update(readFileSync(new URL(lock, import.meta.url)));
  const file = new URL(`${name}-${hash.digest('hex').slice(0, 16)}`, FOLDER);
  if (existsSync(file)) return readFileSync(file);
  const bytes = await make();
  mkdirSync(FOLDER, { recursive: true });
  const unfinished = new URL(`${file.href}.${process.pid}`);
  writeFileSync(unfinished, bytes);
  renameSync(unfinished, file); // an interrupted run leaves no half of a file
  return bytes;
}

/** Bundles each module with all that it uses of this repository. */
async function codeOf(modules: readonly string[]): Promise<readonly Uint8Array[]> {
  const { outputFiles } = await build({
    entryPoints: modules.map((module) => fileURLToPath(new URL(module, import.meta.url))),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    minifyWhitespace: true,
    legalComments: 'none',
    outdir: fileURLToPath(FOLDER),
    write: false,
  });
  return outputFiles.map(({ contents }) => contents);
}
