import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAMILIES, readCatalogue, type Strategy } from './catalogue.js';
import { type Comparison, IMPLEMENTATIONS } from './parts.js';
import { root } from './sources.js';

// The tables of docs/strategies.md and docs/parity.md. The text around them is written by hand;
// each table stands between two comments.

/** The documents with tables, and the table of each mark. */
export const DOCUMENTS: Record<string, (mark: string, catalogue: readonly Strategy[]) => string[]> =
  {
    'docs/strategies.md': strategyTable,
    'docs/parity.md': parityTable,
  };

/** A document with its tables as the docstrings have them now. */
export function withTables(document: string): string {
  const catalogue = readCatalogue();
  const text = readFileSync(join(root, document), 'utf8');
  return text.replace(
    /(<!-- npm run tables: (.+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, start, mark, end) => `${start}${DOCUMENTS[document]!(mark, catalogue).join('\n')}\n${end}`,
  );
}

/** Writes the tables of all documents. */
export function writeTables(): void {
  for (const document of Object.keys(DOCUMENTS)) {
    writeFileSync(join(root, document), withTables(document));
  }
}

function strategyTable(family: string, catalogue: readonly Strategy[]): string[] {
  const rows = inFamily(family, catalogue).map((strategy) => [
    `[\`${strategy.name}\`](../${strategy.file})`,
    strategy.use.replace(/^Use it |\.$/g, ''),
    strategy.avoid.replace(/^Avoid it |\.$/g, ''),
    labelCell(strategy),
    sumCell(strategy),
    optionsCell(strategy),
    strategy.papers.map(({ title, url }) => `[${title}](${url})`).join(', '),
  ]);
  const head = ['strategy', 'use it', 'avoid it', 'labels', 'rows add up', 'options', 'paper'];
  return markdown(head, rows);
}

/** Returns how a strategy uses labels. */
export function labelCell({ labels }: Strategy): string {
  return { required: 'required', optional: 'optional', unused: '–', entries: 'by entry' }[labels];
}

/** Returns whether chunks of a batch add up to its loss. */
export function sumCell({ isSumOverRows }: Strategy): string {
  if (isSumOverRows === 'options') return 'by options';
  if (isSumOverRows === 'entries') return 'by entry';
  return isSumOverRows ? 'yes' : 'no';
}

function optionsCell({ options }: Strategy): string {
  const own = options.filter(({ isShared }) => !isShared);
  const cells = own.map(({ name, defaultValue, isRequired }) => {
    if (isRequired) return `\`${name}\` (required)`;
    return defaultValue === undefined ? `\`${name}\`` : `\`${name}: ${defaultValue}\``;
  });
  return cells.join(', ');
}

function parityTable(mark: string, catalogue: readonly Strategy[]): string[] {
  return mark === 'at a glance' ? glance(catalogue) : comparisons(inFamily(mark, catalogue));
}

function glance(catalogue: readonly Strategy[]): string[] {
  const rows = catalogue.map((strategy) => [
    `\`${strategy.name}\``,
    ...IMPLEMENTATIONS.map((each) => {
      const isIn = ({ implementation }: Comparison) => implementation === each;
      if (strategy.reproduces.some(isIn)) return '✓';
      return strategy.differs.some(isIn) ? '≠' : '–';
    }),
  ]);
  return markdown(['strategy', ...IMPLEMENTATIONS], rows);
}

function comparisons(strategies: readonly Strategy[]): string[] {
  const rows = strategies.flatMap((strategy) => {
    const { name, papers, reproduces, differs } = strategy;
    const lines = [
      ...papers.map(({ title, url, section, note }) => [
        `[${title}](${url})${section && `, ${section}`}`,
        note,
      ]),
      ...byHow(reproduces).map(([of, how]) => [of, `✓ ${how}`.trimEnd()]),
      ...byHow(differs).map(([of, how]) => [of, `≠ ${how}`]),
    ];
    return lines.map((cells, i) => [i === 0 ? `\`${name}\`` : '', ...cells]);
  });
  return markdown(['strategy', 'of', 'how'], rows);
}

/** Implementations with the same words share a line. */
function byHow(list: readonly Comparison[]): [implementations: string, how: string][] {
  const groups = new Map<string, string[]>();
  for (const { implementation, how } of list) {
    groups.set(how, [...(groups.get(how) ?? []), implementation]);
  }
  return Array.from(groups, ([how, names]) => [names.join(', '), how]);
}

function inFamily(family: string, catalogue: readonly Strategy[]): Strategy[] {
  if (!FAMILIES.includes(family)) throw new Error(`"${family}" is no family`);
  return catalogue.filter((strategy) => strategy.family === family);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)];
}
