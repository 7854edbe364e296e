/** A text as tokens: one for each character. */
export interface Corpus {
  /** The character of each token. */
  readonly characters: readonly string[];
  readonly training: Int32Array;
  readonly heldOut: Int32Array;
}

/** Characters that occur less often than this are left out. */
const RARE = 100;
/** One of this number of chapters is held out. */
const HELD_OUT_EVERY = 10;

/** Splits a book into its chapters, and holds out every tenth. */
export function makeCorpus(book: string): Corpus {
  const chapters = book.split(/^(?=CHAPTER \d)/m).map(unwrap);
  const characters = commonCharacters(chapters.join(''));
  const tokenOf = new Map(characters.map((character, token) => [character, token]));
  const encode = (isHeldOut: boolean): Int32Array => {
    const kept = chapters.filter(
      (_, i) => (i % HELD_OUT_EVERY === HELD_OUT_EVERY - 1) === isHeldOut,
    );
    const tokens = [...kept.join('')].map((character) => tokenOf.get(character));
    return Int32Array.from(tokens.filter((token) => token !== undefined));
  };
  return { characters, training: encode(false), heldOut: encode(true) };
}

/** Returns the text of tokens. */
export function decode(tokens: Int32Array, characters: readonly string[]): string {
  return Array.from(tokens, (token) => characters[token]).join('');
}

/** Returns the starts of all sequences of `length` tokens, `stride` tokens apart. */
export function sequenceStarts(tokens: Int32Array, length: number, stride: number): Int32Array {
  const count = Math.floor((tokens.length - length) / stride) + 1;
  return Int32Array.from({ length: count }, (_, i) => i * stride);
}

/** Returns the sequences at `starts`, one after the other. */
export function takeSequences(tokens: Int32Array, starts: Int32Array, length: number): Int32Array {
  const sequences = new Int32Array(starts.length * length);
  starts.forEach((start, i) => {
    sequences.set(tokens.subarray(start, start + length), i * length);
  });
  return sequences;
}

/** Returns `count` sequences, evenly spread over the tokens. */
export function evenlySpaced(tokens: Int32Array, count: number, length: number): Int32Array {
  const stride = Math.floor(tokens.length / count);
  return takeSequences(tokens, sequenceStarts(tokens, length, stride).subarray(0, count), length);
}

/** Returns one line per paragraph: a line break within a paragraph becomes a space. */
function unwrap(chapter: string): string {
  const paragraphs = chapter.trim().split(/\n\s*\n/);
  return paragraphs.map((paragraph) => `${paragraph.replace(/\s+/g, ' ')}\n`).join('');
}

function commonCharacters(text: string): readonly string[] {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.keys()].filter((character) => counts.get(character)! >= RARE).sort();
}
