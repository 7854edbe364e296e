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
/** A word that is in fewer of the pages is not worth a vector. */
const LEAST_PAGES = 4;

export interface Settings {
  readonly seed: number;
  /** How many of the five folds are unseen, one after the other. */
  readonly folds: number;
  /** What part of the steps of each method is done. */
  readonly pace: number;
}

export function chooseSettings(quick: boolean, seed: number): Settings {
  return quick ? { seed, folds: 1, pace: 0.1 } : { seed, folds: FOLDS, pace: 1 };
}

/** Fractions, over the unseen pages. */
export interface Scores {
  /** How often the seen page that is nearest by the teacher is among the first ten. */
  readonly nearest: number;
  /** How many of the teacher's first ten seen pages are among the first ten. */
  readonly shared: number;
  /**
   * How often a title finds its page before all others, seen and unseen; nobody has asked the
   * teacher.
   */
  readonly title?: number;
}

export interface Fold {
  readonly seen: readonly number[];
  readonly unseen: readonly number[];
  /** One for each method. */
  readonly students: readonly StoredStudent[];
  /** By the name of the method, or of what it is compared with. */
  readonly scores: ReadonlyMap<string, Scores>;
}

/**
 * Leaves a fifth of the pages unseen, teaches a student of the others by each method, and looks
 * what each finds.
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

/** @param scoresFor - how near all pages are to one */
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

/** The seen pages that are nearest to a page by the teacher. */
export function firstTen(
  { texts, embeddings }: Pages,
  page: number,
  seen: readonly number[],
): number[] {
  const rows = rowsOf(embeddings, texts.length);
  return best(similarities(rows[page]!, rows), seen);
}
