import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readCatalogue } from '../../docs/catalogue/catalogue.js';
import { strategyOf } from '../support/exportedStrategies.js';

// The docstring of a strategy lists the implementations that it reproduces, and golden cases prove
// the list.

const catalogue = readCatalogue();

interface Cases {
  /** Golden cases, each of the strategy that the file is named after, or of `strategy`. */
  readonly cases: readonly { readonly strategy?: string; readonly reproduces?: string }[];
}

/** The implementations that the golden cases of a strategy reproduce, without repetition. */
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

test.each(catalogue)('$name names an implementation once', ({ reproduces, differs }) => {
  const met = [...reproduces, ...differs].map(({ implementation }) => implementation);
  expect(met).toEqual([...new Set(met)]);
});

test('a @differs says what differs', () => {
  const all = catalogue.flatMap(({ differs }) => differs);
  expect(all.filter(({ how }) => how === '')).toEqual([]);
});
