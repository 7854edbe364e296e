import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readCatalogue } from '../../docs/catalogue/catalogue.js';
import { strategyOf } from '../support/exportedStrategies.js';

// A strategy says in its docstring which implementations it reproduces. The golden cases prove it.

const catalogue = readCatalogue();

interface Cases {
  /** Each is a case of the strategy that the file is named after, or of `strategy`. */
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

test('every @reproduces has a golden case, and every golden case its @reproduces', () => {
  const claimed = catalogue.flatMap(({ className, reproduces }) =>
    reproduces.map(({ implementation }) => `${className}: ${implementation}`),
  );
  expect(claimed.sort()).toEqual(proved());
});

test.each(catalogue)('$name meets an implementation once', ({ reproduces, differs }) => {
  const met = [...reproduces, ...differs].map(({ implementation }) => implementation);
  expect(met).toEqual([...new Set(met)]);
});

test('an implementation that differs says how', () => {
  const all = catalogue.flatMap(({ differs }) => differs);
  expect(all.filter(({ how }) => how === '')).toEqual([]);
});
