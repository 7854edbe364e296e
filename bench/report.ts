import CliTable from 'cli-table3';
import type { Failure, Timings } from './compete.js';
import { median, quotients } from './statistics.js';

/** The measurement of one step. */
export interface Measured {
  readonly milliseconds: number;
  /** Median ratio to the baseline: a speed or a cost, as the name of the table says. */
  readonly ratio?: number;
  readonly note?: string;
}

/** One cell of a table; `null` if the contestant did not take part. */
export type Cell = Measured | Failure | null;

export interface Column {
  readonly name: string;
  /** Milliseconds in one unit of the column's times. */
  readonly unit: number;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly lines: readonly { readonly name: string; readonly cells: readonly Cell[] }[];
}

/**
 * Returns the median time of a contestant, and the median over rounds of the ratio to the baseline:
 * the baseline's time over its own for a speed, the inverse for a cost.
 */
export function cell(
  timings: Timings,
  name: string,
  baseline?: string,
  ratio: 'speed' | 'cost' = 'speed',
): Cell {
  const own = timings.get(name);
  if (!own || 'failed' in own) return own ?? null;
  const { times, ...note } = own;
  const milliseconds = median(times);
  const reference = baseline === undefined ? undefined : timings.get(baseline);
  if (!reference || 'failed' in reference || name === baseline) return { milliseconds, ...note };
  const ratios =
    ratio === 'speed' ? quotients(reference.times, times) : quotients(times, reference.times);
  return { milliseconds, ratio: median(ratios), ...note };
}

/** Returns a table in Markdown with its footnotes, without its empty lines. */
export function markdown({ name, columns, lines }: Table): string[] {
  const notes: string[] = [];
  const text = (of: Cell, { unit }: Column): string => {
    if (of === null) return '';
    if ('failed' in of) return `fails${footnote(notes, of.failed)}`;
    const ratio = of.ratio === undefined ? '' : ` (${of.ratio.toPrecision(2)}×)`;
    return `${(of.milliseconds / unit).toPrecision(3)}${ratio}${footnote(notes, of.note)}`;
  };
  const rows = lines
    .filter(({ cells }) => cells.some((of) => of !== null))
    .map((line) => [line.name, ...line.cells.map((of, i) => text(of, columns[i]!))]);
  const heads = [name, ...columns.map((column) => column.name)];
  const footnotes = notes.map((note, i) => `${mark(i)} ${note}`);
  return [formatted(heads, rows), ...(notes.length > 0 ? [''] : []), ...footnotes];
}

/** Returns cells as a Markdown table with aligned columns. */
export function formatted(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const sides = ['top', 'bottom', 'left-mid', 'mid', 'mid-mid', 'right-mid'];
  const corners = ['', '-mid', '-left', '-right'];
  const none = sides.flatMap((side) => corners.map((corner) => [`${side}${corner}`, '']));
  const table = new CliTable({
    chars: { ...Object.fromEntries(none), left: '|', middle: '|', right: '|' },
    style: { head: [], border: [] },
  });
  table.push(
    [...heads],
    heads.map(() => '---'),
    ...rows.map((row) => [...row]),
  );
  return table.toString();
}

/** Returns the mark of a note, and adds the note to the footnotes if it is new. */
function footnote(notes: string[], note: string | undefined): string {
  if (note === undefined) return '';
  if (!notes.includes(note)) notes.push(note);
  return mark(notes.indexOf(note));
}

/** Escapes asterisks, since a line of Markdown that begins with one is a list item. */
function mark(index: number): string {
  return '\\*'.repeat(index + 1);
}
