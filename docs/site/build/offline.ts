import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

// Writes the service worker of the site that is built: the last part of `npm run site`.

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const outfile = join(dist, 'sw.js');

rmSync(outfile, { force: true });
await build({
  entryPoints: [fileURLToPath(new URL('../offline/worker.ts', import.meta.url))],
  bundle: true,
  minify: true,
  define: { BUILD: JSON.stringify(fingerprint()), 'process.env.NODE_ENV': '"production"' },
  outfile,
});

/** Identifies the files of the site: a build that changes none of them is the same build. */
function fingerprint(): string {
  const hash = createHash('sha256');
  const entries = readdirSync(dist, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  for (const file of files.map(({ parentPath, name }) => join(parentPath, name)).sort()) {
    hash.update(file.slice(dist.length)).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}
