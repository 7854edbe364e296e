import { readFileSync, writeFileSync } from 'node:fs';
import { markdown } from './report.js';
import { describe, type Run, writeRun } from './run.js';

const START = '<!-- npm run bench -- --write -->';
const END = '<!-- end -->';

/** Writes the tables of a complete run into docs/speed.md, and the run into results.json. */
export function writeTables(run: Run): void {
  const file = new URL('../docs/speed.md', import.meta.url);
  const text = readFileSync(file, 'utf8');
  const [before, rest] = [text.split(START)[0], text.split(START)[1]?.split(END)];
  if (rest?.length !== 2) throw new Error('docs/speed.md has no place for the tables');
  writeFileSync(file, `${before}${START}\n${linesOf(run).join('\n')}\n${END}${rest[1]}`);
  writeRun(new URL('results.json', import.meta.url), run);
}

/** Returns a run as lines of Markdown. */
export function linesOf(run: Run): string[] {
  return [describe(run), ...run.tables.flatMap((table) => ['', ...markdown(table)])];
}
