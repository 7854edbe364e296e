import Table from 'cli-table3';
import { summarize } from './statistics.js';

type Cell = string | number;

/** Formats a table as text: the first `labels` columns hold words, the others numbers. */
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

/** Formats the mean and, for several values, the standard deviation. */
export function formatMean(values: readonly number[], digits: number): string {
  const { mean, deviation } = summarize(values);
  const spread = Number.isNaN(deviation) ? '' : ` ± ${deviation.toFixed(digits)}`;
  return `${mean.toFixed(digits)}${spread}`;
}

/** Formats mean and standard deviation in per cent. */
export function formatPercent(fractions: readonly number[]): string {
  return `${formatMean(
    fractions.map((fraction) => 100 * fraction),
    1,
  )} %`;
}
