import Table from 'cli-table3';
import { summarize } from './statistics.js';

type Cell = string | number;

/** A table as text: the first `labels` columns are words, the others numbers. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  labels = 1,
): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column < labels ? 'left' : 'right')),
    style: { head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** The mean in per cent and, of several, the standard deviation. */
export function formatPercent(fractions: readonly number[]): string {
  const { mean, deviation } = summarize(fractions);
  const spread = Number.isNaN(deviation) ? '' : ` ± ${(100 * deviation).toFixed(1)}`;
  return `${(100 * mean).toFixed(1)}${spread} %`;
}
