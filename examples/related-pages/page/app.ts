import { bm25, type Search } from '../bm25.js';
import { best, searchEmbeddings } from '../ranking.js';
import { embedder, sizeOf } from '../stored.js';
import { type PageData, unpack } from './data.js';

const {
  titles,
  texts,
  seen,
  unseen,
  ideal,
  student: packed,
} = JSON.parse(byId('data').textContent) as PageData;
const student = unpack(packed);
const searches: Record<string, Search> = {
  student: searchEmbeddings(embedder(student), texts),
  bm25: bm25(texts),
};
const pageField = byId('page') as HTMLSelectElement;
const wordsField = byId('words') as HTMLInputElement;

const size = Math.round(sizeOf(student) / 1000);
byId('about').textContent =
  `The student is a table of ${student.words.length} word vectors, ${size} kB, which runs in this page. ` +
  `A tick marks what is among the first ten of its teacher, all-MiniLM-L6-v2.`;
pageField.append(
  ...unseen
    .map((page, i) => new Option(titles[page], String(i)))
    .sort((left, right) => left.text.localeCompare(right.text)),
);
pageField.addEventListener('input', () => {
  wordsField.value = '';
  show();
});
wordsField.addEventListener('input', show);
byId('page')
  .closest('form')!
  .addEventListener('submit', (event) => event.preventDefault());
show();

/**
 * Shows the results of student and BM25: for words among all pages, for a page among the seen
 * pages.
 */
function show(): void {
  const words = wordsField.value.trim();
  const chosen = Number(pageField.value);
  const query = words || texts[unseen[chosen]!]!;
  const candidates = words ? [...texts.keys()] : seen;
  const hits = new Set(words ? [] : ideal[chosen]);
  for (const [name, search] of Object.entries(searches)) {
    const scores = search(query);
    const found = best(scores, candidates).filter((page) => scores[page]! > 0);
    byId(name).replaceChildren(...found.map((page) => itemOf(page, hits.has(page))));
    const shared = found.filter((page) => hits.has(page)).length;
    byId(`${name}-score`).textContent = words
      ? `${found.length} of ${candidates.length} pages`
      : `${shared} of the teacher’s first ten`;
  }
}

function itemOf(page: number, isHit: boolean): HTMLElement {
  const item = document.createElement('li');
  item.textContent = titles[page]!;
  if (isHit) item.className = 'hit';
  return item;
}

function byId(id: string): HTMLElement {
  return document.getElementById(id)!;
}
