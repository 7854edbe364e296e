import { readFileSync, writeFileSync } from 'node:fs';
import { markdown, type Table } from './report.js';
import { describe, type Run, writeRun } from './run.js';

const START = '<!-- npm run bench -- --write -->';
const END = '<!-- end -->';

/** The tables that the README of the project shows; that of this folder has all. */
const SHOWN = [
  'float32',
  '256 × 1000, float32, ms',
  '256 × 64, float32, µs',
  'in TensorFlow.js, wasm, ms',
];

/** Keeps a run of all tables, and puts them where both READMEs have a place for them. */
export function writeReadmes(run: Run): void {
  const shown = run.tables.filter(({ name }) => SHOWN.includes(name));
  put('../README.md', run, shown);
  put('README.md', run, run.tables);
  writeRun(new URL('results.json', import.meta.url), run);
}

/** A run as it is printed. */
export function linesOf(run: Run, tables: readonly Table[] = run.tables): string[] {
  return [describe(run), ...tables.flatMap((table) => ['', ...markdown(table)])];
}

function put(path: string, run: Run, tables: readonly Table[]): void {
  const file = new URL(path, import.meta.url);
  const text = readFileSync(file, 'utf8');
  const [before, rest] = [text.split(START)[0], text.split(START)[1]?.split(END)];
  if (rest?.length !== 2) throw new Error(`${path} has no place for the tables`);
  writeFileSync(file, `${before}${START}\n${linesOf(run, tables).join('\n')}\n${END}${rest[1]}`);
}
