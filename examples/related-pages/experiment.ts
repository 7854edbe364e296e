import { gatherRows } from '../shared/batches.js';
import { Random } from '../shared/random.js';
import { bm25, type Search } from './bm25.js';
import { along } from './directions.js';
import type { Method } from './methods.js';
import type { Pages } from './pages.js';
import { best, rowsOf, searchEmbeddings, similarities, toUnit } from './ranking.js';
import { embedder, type StoredStudent, store } from './stored.js';
import { prepareLesson, teachStudent } from './teaching.js';
import { vocabularyOf } from './words.js';

const FOLDS = 5;
/** Minimum number of pages for a word to have a vector. */
const LEAST_PAGES = 4;

export interface Settings {
  readonly seed: number;
  /** Number of the five folds that are held out in turn. */
  readonly folds: number;
  /** Fraction of each method's steps that is taken. */
  readonly pace: number;
}

export function chooseSettings(quick: boolean, seed: number): Settings {
  return quick ? { seed, folds: 1, pace: 0.1 } : { seed, folds: FOLDS, pace: 1 };
}

/** Scores as fractions over the unseen pages. */
export interface Scores {
  /** Fraction for which the teacher's nearest seen page is among the model's first ten. */
  readonly nearest: number;
  /** Fraction of the teacher's first ten seen pages that are among the model's first ten. */
  readonly shared: number;
  /**
   * Fraction whose title finds its page before all other pages; undefined for the teacher, which
   * has no embeddings of titles.
   */
  readonly title?: number;
}

export interface Fold {
  readonly seen: readonly number[];
  readonly unseen: readonly number[];
  /** One student for each method. */
  readonly students: readonly StoredStudent[];
  /** Scores by the name of the method or of the baseline. */
  readonly scores: ReadonlyMap<string, Scores>;
}

/**
 * Holds out a fifth of the pages, teaches a student by each method on the others, and scores the
 * students and the baselines.
 */
export function runFold(
  pages: Pages,
  methods: readonly Method[],
  fold: number,
  { seed, pace }: Settings,
): Fold {
  const { texts, embeddings } = pages;
  const order = [...new Random(seed, 'folds').shuffle(Int32Array.from(texts.keys()))];
  const unseen = order.filter((_, i) => i % FOLDS === fold);
  const seen = order.filter((_, i) => i % FOLDS !== fold);
  const seenTexts = seen.map((page) => texts[page]!);
  const vocabulary = vocabularyOf(seenTexts, LEAST_PAGES);
  const width = embeddings.length / texts.length;
  const seenEmbeddings = gatherRows(embeddings, width, Int32Array.from(seen));
  const lesson = prepareLesson(seenTexts, seenEmbeddings, vocabulary, seed);
  const students = methods.map((method) =>
    store(teachStudent(method, lesson, seed, pace), vocabulary),
  );
  const scores = new Map<string, Scores>();
  const narrow = rowsOf(along(embeddings, width, lesson.directions), texts.length).map(toUnit);
  scores.set(
    'teacher, along its 64 main directions',
    judgeRelated(pages, (page) => similarities(narrow[page]!, narrow), { seen, unseen }),
  );
  const judge = (name: string, search: Search) => {
    const related = judgeRelated(pages, (page) => search(texts[page]!), { seen, unseen });
    scores.set(name, { ...related, title: judgeTitles(pages, search, unseen) });
  };
  methods.forEach(({ name }, i) => {
    judge(name, searchEmbeddings(embedder(students[i]!), texts));
  });
  judge('BM25, no teacher', bm25(texts));
  return { seen, unseen, students, scores };
}

/** @param scoresFor - returns the scores of all pages for one page */
function judgeRelated(
  pages: Pages,
  scoresFor: (page: number) => number[],
  { seen, unseen }: Pick<Fold, 'seen' | 'unseen'>,
): Scores {
  let [nearest, shared] = [0, 0];
  for (const page of unseen) {
    const found = best(scoresFor(page), seen);
    const ideal = firstTen(pages, page, seen);
    if (found.includes(ideal[0]!)) nearest++;
    shared += ideal.filter((other) => found.includes(other)).length / ideal.length;
  }
  return { nearest: nearest / unseen.length, shared: shared / unseen.length };
}

function judgeTitles({ titles }: Pages, search: Search, unseen: readonly number[]): number {
  const all = [...titles.keys()];
  const found = unseen.filter((page) => best(search(titles[page]!), all, 1)[0] === page);
  return found.length / unseen.length;
}

/** Returns the seen pages that are nearest to a page by the teacher's embeddings. */
export function firstTen(
  { texts, embeddings }: Pages,
  page: number,
  seen: readonly number[],
): number[] {
  const rows = rowsOf(embeddings, texts.length);
  return best(similarities(rows[page]!, rows), seen);
}
