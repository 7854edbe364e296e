import { readFileSync, writeFileSync } from 'node:fs';
import { markdown } from './report.js';
import { describe, type Run, writeRun } from './run.js';

const START = '<!-- npm run bench -- --write -->';
const END = '<!-- end -->';

/** Keeps a run of all tables, and puts the tables into docs/speed.md. */
export function writeTables(run: Run): void {
  const file = new URL('../docs/speed.md', import.meta.url);
  const text = readFileSync(file, 'utf8');
  const [before, rest] = [text.split(START)[0], text.split(START)[1]?.split(END)];
  if (rest?.length !== 2) throw new Error('docs/speed.md has no place for the tables');
  writeFileSync(file, `${before}${START}\n${linesOf(run).join('\n')}\n${END}${rest[1]}`);
  writeRun(new URL('results.json', import.meta.url), run);
}

/** The lines in which a run is printed. */
export function linesOf(run: Run): string[] {
  return [describe(run), ...run.tables.flatMap((table) => ['', ...markdown(table)])];
}
