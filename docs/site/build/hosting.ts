import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { siteUrl } from './linkTags.js';

// Files that hosts and other sites look for.

/** Puts the pictures that links show into a folder of the site. */
export function copyPictures(folder: string): void {
  mkdirSync(folder, { recursive: true });
  cpSync(new URL('../pictures/', import.meta.url), join(folder, 'pictures'), { recursive: true });
}

/** Writes the answer to a wrong address, and where the sitemap is if the site's address is known. */
export function writeHosting(dist: string): void {
  writeFileSync(join(dist, '404.html'), MISSING);
  // With it, an open page of an older build would load parts of this build.
  rmSync(join(dist, 'hashmap.json'));
  if (siteUrl) {
    writeFileSync(
      join(dist, 'robots.txt'),
      `User-agent: *\nAllow: /\nSitemap: ${siteUrl}sitemap.xml\n`,
    );
  }
}

const SEARCH = `<script type="module">
const isSite = async (folder) => (await fetch(new URL('sw.js', folder), { method: 'HEAD' })).ok;
let folder = new URL('.', location);
while (folder.pathname !== '/' && !(await isSite(folder))) folder = new URL('..', folder);
document.querySelector('a').href = folder.href;
</script>
`;

/**
 * A host shows this page at any address below the site, where relative addresses lead nowhere. So
 * the page holds everything itself, and looks for the nearest folder above that has the site.
 */
const MISSING = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>No such page</title>
<body style="max-width: 36em; margin: 15vh auto; padding: 0 1.5em; font: 1.1em/1.5 system-ui">
<main>
<h1>No such page</h1>
<p>Nothing is at this address. The page may have moved.</p>
<p><a href="${siteUrl ?? '/'}">Home</a></p>
</main>
${siteUrl ? '' : SEARCH}`;
