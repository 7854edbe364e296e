import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vitepress';
import { readCatalogue } from '../../catalogue/catalogue.js';
import { writeBenchmark } from './benchmark.js';
import { writeChooser } from './chooser.js';
import {
  decisions,
  examples,
  guides,
  project,
  sourcesOf,
  start,
  strategyTable,
  writeDocument,
  writeSource,
} from './documents.js';
import { writeHome } from './home.js';
import { copyPictures, writeHosting } from './hosting.js';
import { writeLaboratory } from './laboratory.js';
import { referenceSidebars, writeReference } from './reference.js';
import { type Page, pagesFolder, type SidebarGroup } from './repository.js';
import { pathOf, strategySidebar, writeStrategy } from './strategies.js';

// Writes the pages of the site and has VitePress build them: the first part of `npm run site`.

rmSync(pagesFolder, { recursive: true, force: true });
mkdirSync(pagesFolder);

const reference = await writeReference();
const strategies = readCatalogue();
const documents = [
  start(),
  strategyTable(),
  ...guides(),
  ...examples(),
  ...project(),
  ...decisions(),
];
const linked = [
  ...strategies.map((strategy) => [strategy.file, pathOf(strategy)] as const),
  ...documents.map(({ source, path }) => [source, path] as const),
];
const symbols = new Map([...reference].reverse().map(({ name, path }) => [name, path]));
const classes = reference.filter(({ isClass }) => isClass).map(({ file, path }) => [file, path]);
const sources = sourcesOf(documents, new Set([...linked, ...classes].map(([source]) => source)));

documents.forEach(writeDocument);
sources.forEach(writeSource);
for (const strategy of strategies) await writeStrategy(strategy, (name) => symbols.get(name));
writeChooser(strategies);
writeLaboratory(strategies);
writeBenchmark();
writeHome();

const chooser: Page = { path: 'choose', title: 'Which loss?', source: '' };
const group = (text: string, pages: readonly Page[]): SidebarGroup => ({
  text,
  items: pages.map(({ title, path }) => ({ text: title, link: `/${path}` })),
});
const learning = [group('Guides', [start(), chooser, ...guides()])];
const about = [group('Project', project()), group('Decisions', decisions())];
writeFileSync(
  join(pagesFolder, 'manifest.json'),
  JSON.stringify({
    pages: Object.fromEntries([
      ...classes,
      ...linked,
      ...sources.map(({ source, path }) => [source, path]),
    ]),
    sidebar: {
      '/start': learning,
      '/choose': learning,
      '/guides/': learning,
      '/strategies/': strategySidebar(strategies),
      '/examples/': [group('Examples', examples())],
      '/project/': about,
      '/decisions/': about,
      ...referenceSidebars(reference),
    },
  }),
);
copyPictures(join(pagesFolder, 'public'));
await build(fileURLToPath(new URL('../', import.meta.url)));
writeHosting(fileURLToPath(new URL('../dist/', import.meta.url)));
