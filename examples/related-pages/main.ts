import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readOptions } from '../shared/options.js';
import { formatPercent, formatTable } from '../shared/table.js';
import { chooseSettings, firstTen, runFold, type Scores } from './experiment.js';
import { METHODS } from './methods.js';
import { pack } from './page/data.js';
import { buildPage, PAGE } from './page.js';
import { readPages } from './pages.js';
import { sizeOf } from './stored.js';

/** The folder into which `npm run example:related-pages` installs the pages. */
const PACKAGE = 'node_modules/@sap-ux/fiori-docs-embeddings/data/embeddings/';
/** The method whose student the page shows. */
const SHOWN = METHODS.findIndex(({ name }) => name === 'ridge, then SimilarityDistribution');

const { quick, seed } = readOptions();
const settings = chooseSettings(quick, seed);
const pages = readPages(fileURLToPath(new URL(PACKAGE, import.meta.url)));
const folds = Array.from({ length: settings.folds }, (_, fold) =>
  runFold(pages, METHODS, fold, settings),
);
const { seen, unseen, students, scores } = folds[0]!;
const student = students[SHOWN]!;

const columns: readonly [keyof Scores, string][] = [
  ['nearest', "teacher's nearest found"],
  ['shared', "teacher's ten shared"],
  ['title', 'title finds its page'],
];
console.log(`${seen.length} pages for training, ${unseen.length} unseen; folds: ${folds.length}`);
console.log(
  formatTable(
    ['model', ...columns.map(([, head]) => head)],
    [...scores.keys()].map((name) => [
      name,
      ...columns.map(([column]) => {
        const values = folds.map((fold) => fold.scores.get(name)?.[column] ?? Number.NaN);
        return values.some(Number.isNaN) ? '' : formatPercent(values);
      }),
    ]),
  ),
);
const kilobytes = (sizeOf(student) / 1000).toFixed(0);
console.log(`A student has vectors for ${student.words.length} words, ${kilobytes} kB.`);
if (quick) console.log('One fold and few steps: this run only shows that the example works.');

const ideal = unseen.map((page) => firstTen(pages, page, seen));
const { titles, texts } = pages;
mkdirSync(new URL('.', PAGE), { recursive: true });
writeFileSync(
  PAGE,
  await buildPage({ titles, texts, seen, unseen, ideal, student: pack(student) }),
);
console.log(`To search the pages yourself, open ${fileURLToPath(PAGE)}`);
