import { readFileSync, writeFileSync } from 'node:fs';

const START = '<!-- npm run bench -- --write -->';
const END = '<!-- end -->';

/** Puts the tables where the README has a place for them. */
export function writeReadme(lines: readonly string[]): void {
  const file = new URL('../README.md', import.meta.url);
  const text = readFileSync(file, 'utf8');
  const [before, rest] = [text.split(START)[0], text.split(START)[1]?.split(END)];
  if (rest?.length !== 2) throw new Error('the README has no place for the tables');
  writeFileSync(file, `${before}${START}\n${lines.join('\n')}\n${END}${rest[1]}`);
}
