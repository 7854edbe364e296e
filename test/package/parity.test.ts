import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { exportedStrategies, strategyOf } from '../support/exportedStrategies.js';

// docs/parity.md says which options reproduce which implementation. What it says is what the golden
// cases prove.

const implementations = [
  'mdistiller',
  'RepDistiller',
  'torchdistill',
  'TextBrewer',
  'TRL',
  'DistillKit',
  'Liger',
  'DistiLLM',
  'AiDotNet',
  'sentence-transformers',
  'distil-whisper',
  'torchtune',
  'CWD',
];

const document = readFileSync(new URL('../../docs/parity.md', import.meta.url), 'utf8');
const [, summary = '', ...families] = document.split(/^## /m);

interface Row {
  readonly strategy: string;
  /** `paper`, or an implementation. */
  readonly of: readonly string[];
  readonly verdict: string;
}

/** The rows of the tables by family; one that names no strategy is about that of the row before. */
function readRows(): Row[] {
  const lines = families.join('\n').split('\n');
  const rows: Row[] = [];
  for (const [i, line] of lines.entries()) {
    if (!line.startsWith('| ') || lines[i + 1]?.startsWith('|--')) continue;
    const [name = '', of = '', verdict = ''] = line.split('|').slice(1).map(withoutSpace);
    const strategy = name
      ? `${name.replaceAll('`', '')}DistillationStrategy`
      : rows.at(-1)!.strategy;
    rows.push({ strategy, of: of.split(', '), verdict });
  }
  return rows;
}

function withoutSpace(cell: string): string {
  return cell.trim();
}

const rows = readRows();

interface Cases {
  /** Each of the strategy that the file is named after, unless it says another. */
  readonly cases: readonly { readonly strategy?: string; readonly reproduces?: string }[];
}

/** Each implementation that a golden case of a strategy reproduces, once. */
function proved(): string[] {
  const folder = new URL('../fixtures/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const pairs = files.flatMap((file) => {
    const { cases = [] } = JSON.parse(
      readFileSync(new URL(file, folder), 'utf8'),
    ) as Partial<Cases>;
    return cases.flatMap(({ strategy = strategyOf(file.replace('.json', '')), reproduces }) =>
      reproduces ? [`${strategy}: ${reproduces}`] : [],
    );
  });
  return [...new Set(pairs)].sort();
}

test('every strategy is compared with its paper, the hybrid with its entries', () => {
  const strategies = rows.filter(({ of }) => of.includes('paper')).map(({ strategy }) => strategy);
  const hybrid = 'HybridDistillationStrategy';
  expect(strategies.sort()).toEqual(exportedStrategies().filter((name) => name !== hybrid));
  expect(document).toContain('`Hybrid` adds up the others');
});

test('at a glance it is the same', () => {
  const columns = ['paper', ...implementations];
  const strategies = [...new Set(rows.map(({ strategy }) => strategy))];
  const lines = strategies.map((strategy) => {
    const marks = columns.map((column) => {
      const row = rows.find((each) => each.strategy === strategy && each.of.includes(column));
      return row ? row.verdict[0] : '–';
    });
    return `| \`${strategy.replace('DistillationStrategy', '')}\` | ${marks.join(' | ')} |`;
  });
  const [, head, , ...body] = summary.trim().split(/\n+/);
  expect(head).toBe(`| strategy | ${columns.join(' | ')} |`);
  expect(body).toEqual(lines);
});

test('a strategy and an implementation meet once', () => {
  const pairs = rows.flatMap(({ strategy, of }) => of.map((each) => `${strategy}: ${each}`));
  expect(pairs).toEqual([...new Set(pairs)]);
});

test.each(rows)('$strategy and $of: $verdict', ({ of, verdict }) => {
  for (const each of of) expect(['paper', ...implementations]).toContain(each);
  expect(verdict).toMatch(/^(✓( .+)?|≠ .+)$/);
});

test('every ✓ of an implementation has a golden case, and every golden case its ✓', () => {
  const claimed = rows
    .filter(({ verdict }) => verdict.startsWith('✓'))
    .flatMap(({ strategy, of }) =>
      of.filter((each) => each !== 'paper').map((each) => `${strategy}: ${each}`),
    );
  expect(claimed.sort()).toEqual(proved());
});
