import { readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join, relative, sep } from 'node:path';
import { Random } from '../shared/random.js';

/** Languages of the corpus: the teacher's name of each, and the extensions of its files. */
const LANGUAGES: Readonly<Record<string, readonly string[]>> = {
  c: ['.c'],
  cpp: ['.cc', '.cpp'],
  css: ['.css'],
  java: ['.java'],
  js: ['.cjs', '.js', '.mjs'],
  json: ['.json'],
  kt: ['.kt'],
  lua: ['.lua'],
  md: ['.md'],
  mm: ['.m', '.mm'],
  pm: ['.pl', '.pm'],
  py: ['.py'],
  rs: ['.rs'],
  swift: ['.swift'],
  ts: ['.ts', '.tsx'],
  xml: ['.xml'],
};

/** Snippets of source files with their languages. */
export interface Corpus {
  readonly texts: readonly string[];
  readonly languages: readonly string[];
  /**
   * Family of each snippet. Files of one name in a package share a family, since packages hold
   * several builds of one source.
   */
  readonly families: Int32Array;
}

const SNIPPETS_PER_FILE = 5;
/** Lengths of a snippet, in characters. */
const SHORTEST = 200;
const ENOUGH = 800;
const LONGEST = 1600;

/**
 * Reads the packages in `folder`: at most `filesPerLanguage` files of each
 * language, the same in every run.
 */
export function readCorpus(folder: string, filesPerLanguage: number): Corpus {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes('.min.'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
  const texts = new Map<string, { language: string; family: number }>();
  const families = new Map<string, number>();
  for (const [language, endings] of Object.entries(LANGUAGES)) {
    const candidates = files.filter((file) => endings.includes(extname(file)));
    const order = new Random(0, language).shuffle(Int32Array.from(candidates.keys()));
    for (const index of order.subarray(0, filesPerLanguage)) {
      const file = candidates[index]!;
      const name = familyOf(file);
      const family = families.get(name) ?? families.size;
      families.set(name, family);
      for (const text of snippetsOf(readFileSync(join(folder, file), 'utf8'))) {
        if (!texts.has(text)) texts.set(text, { language, family });
      }
    }
  }
  const entries = [...texts.values()];
  return {
    texts: [...texts.keys()],
    languages: entries.map(({ language }) => language),
    families: Int32Array.from(entries, ({ family }) => family),
  };
}

/** Returns the package of a file and the file's name without its extensions. */
function familyOf(file: string): string {
  const [first, second] = file.split(sep);
  const owner = first!.startsWith('@') ? `${first}/${second}` : first;
  return `${owner} ${basename(file).split('.')[0]}`;
}

/**
 * Cuts a file into runs of whole lines. A long file gives snippets that are evenly spread over it.
 */
function snippetsOf(content: string): readonly string[] {
  const snippets: string[] = [];
  let text = '';
  for (const line of content.split(/(?<=\n)/)) {
    text += line;
    if (text.length < ENOUGH) continue;
    snippets.push(text);
    text = '';
  }
  snippets.push(text);
  const fit = snippets.filter(({ length }) => length >= SHORTEST && length <= LONGEST);
  const count = Math.min(fit.length, SNIPPETS_PER_FILE);
  return Array.from({ length: count }, (_, i) => fit[Math.floor((i * fit.length) / count)]!);
}
