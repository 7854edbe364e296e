import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { PageData } from './page/data.js';

/** The file that `npm run example:related-pages` writes. */
export const PAGE: URL = new URL('dist/index.html', import.meta.url);

/** Builds a page in a single file, with its script and the data for the script. */
export async function buildPage(data: PageData): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page/app.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
  });
  const json = JSON.stringify(data).replaceAll('<', '\\u003c'); // a title may contain an end tag
  return readFileSync(new URL('page/index.html', import.meta.url), 'utf8')
    .replace('<!-- data -->', () => `<script type="application/json" id="data">${json}</script>`)
    .replace('<!-- script -->', () => `<script>${outputFiles[0]!.text}</script>`);
}
