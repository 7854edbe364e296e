import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The languages that the compiler speaks beside English, by their name in the teacher, with its
 * locales for each.
 */
export const LANGUAGES = {
  ces: ['cs'],
  cmn: ['zh-cn', 'zh-tw'],
  deu: ['de'],
  fra: ['fr'],
  ita: ['it'],
  jpn: ['ja'],
  kor: ['ko'],
  pol: ['pl'],
  por: ['pt-br'],
  rus: ['ru'],
  spa: ['es'],
  tur: ['tr'],
} as const;

export type Language = keyof typeof LANGUAGES;
export const LANGUAGE_NAMES: readonly Language[] = Object.keys(LANGUAGES) as Language[];

/** Sentences with the index of their language, their label, and of the message that they say. */
export interface Corpus {
  readonly texts: readonly string[];
  readonly labels: Int32Array;
  readonly messages: Int32Array;
}

/**
 * What the TypeScript compiler says, in all of its languages; only the first `limit` messages if
 * you say so.
 */
export function loadMessages(limit: number): Corpus {
  const { resolve } = createRequire(import.meta.url);
  const folder = dirname(resolve('typescript'));
  const texts: string[] = [];
  const labels: number[] = [];
  const messages: number[] = [];
  const indexOf = new Map<string, number>();
  LANGUAGE_NAMES.forEach((language, index) => {
    for (const locale of LANGUAGES[language]) {
      const file = join(folder, locale, 'diagnosticMessages.generated.json');
      const translations: Record<string, string> = JSON.parse(readFileSync(file, 'utf8'));
      for (const [key, text] of Object.entries(translations)) {
        const message = indexOf.get(key) ?? indexOf.size;
        indexOf.set(key, message);
        if (message >= limit) continue;
        texts.push(text);
        labels.push(index);
        messages.push(message);
      }
    }
  });
  return { texts, labels: Int32Array.from(labels), messages: Int32Array.from(messages) };
}
