import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { exportedStrategies, strategyOf } from '../exportedStrategies.js';

// docs/parity.md says which options reproduce which implementation. What it says is what the golden cases prove.

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
];

const document = readFileSync(new URL('../../docs/parity.md', import.meta.url), 'utf8');

const [header = [], ...rows] = document
  .split('\n')
  .filter((line) => line.startsWith('|') && !line.startsWith('|-'))
  .map((line) => line.split('|').slice(1, -1).map(withoutSpace));

function withoutSpace(cell: string): string {
  return cell.trim();
}

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

test('the columns are the paper and the implementations', () => {
  expect(header).toEqual(['strategy', 'paper', ...implementations]);
});

test('every strategy has a row, the hybrid a sentence', () => {
  const strategies = rows.map(([name = '']) => name.replaceAll('`', ''));
  const hybrid = 'HybridDistillationStrategy';
  expect(strategies.sort()).toEqual(exportedStrategies().filter((name) => name !== hybrid));
  expect(document).toContain(`\n\`${hybrid}\` `);
});

test.each(rows.map((row) => [row[0], row] as const))('%s says of each ✓, ≠ or –', (_, row) => {
  expect(row).toHaveLength(header.length);
  for (const cell of row.slice(1)) expect(cell).toMatch(/^(✓( .+)?|≠ .+|–)$/);
});

test('every ✓ of an implementation has a golden case, and every golden case its ✓', () => {
  const claimed = rows.flatMap(([name = '', _paper, ...cells]) =>
    cells.flatMap((cell, i) =>
      cell.startsWith('✓') ? [`${name.replaceAll('`', '')}: ${implementations[i]}`] : [],
    ),
  );
  expect(claimed.sort()).toEqual(proved());
});
