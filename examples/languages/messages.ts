import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The languages of the compiler's messages, without English: the teacher's name of each, and its
 * locales.
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

/**
 * Sentences. Each has the index of its language, which is its label, and the index of its message.
 */
export interface Corpus {
  readonly texts: readonly string[];
  readonly labels: Int32Array;
  readonly messages: Int32Array;
}

/**
 * Reads the messages of the TypeScript compiler in all of its languages, or only the first `limit`
 * messages.
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
