// Prints two runs of the bench side by side: npm run bench:compare A.json B.json

import { type Cell, formatted, type Table } from './report.js';
import { describe, readRun } from './run.js';

/**
 * Shows the ratios of both runs, which depend least on the speed of the machine, and then the time
 * in A over the time in B, which is above 1 where B is faster.
 */
function compareCells(a: Cell | undefined, b: Cell | undefined): string {
  if (!a || !b) return '';
  if ('failed' in a || 'failed' in b) {
    return `${'failed' in a ? 'fails' : 'ran'} → ${'failed' in b ? 'fails' : 'ran'}`;
  }
  const times = `${(a.milliseconds / b.milliseconds).toPrecision(3)}× as fast`;
  if (a.ratio === undefined || b.ratio === undefined) return times;
  return `${a.ratio.toPrecision(2)} → ${b.ratio.toPrecision(2)} (${times})`;
}

/** Returns the lines and columns that both tables have. */
function compareTables(a: Table, b: Table): string {
  const shared = a.columns.flatMap(({ name }, i) => {
    const j = b.columns.findIndex((column) => column.name === name);
    return j === -1 ? [] : [{ name, i, j }];
  });
  const rows = a.lines.flatMap(({ name, cells }) => {
    const other = b.lines.find((line) => line.name === name);
    if (!other) return [];
    return [[name, ...shared.map(({ i, j }) => compareCells(cells[i], other.cells[j]))]];
  });
  return formatted([a.name, ...shared.map(({ name }) => name)], rows);
}

const [first, second] = process.argv.slice(2);
if (first === undefined || second === undefined) {
  throw new Error('npm run bench:compare A.json B.json');
}
const [a, b] = [readRun(first), readRun(second)];
for (const [name, run] of [
  ['A', a],
  ['B', b],
] as const) {
  const { commit, dirty, date } = run;
  console.log(`${name}: ${commit}${dirty ? ' with changes' : ''}, ${date}, ${describe(run)}`);
}
console.log('Ratios of A → B, and how many times as fast B is by the times alone.');
for (const table of a.tables) {
  const other = b.tables.find(({ name }) => name === table.name);
  if (other) console.log(`\n${compareTables(table, other)}`);
}
