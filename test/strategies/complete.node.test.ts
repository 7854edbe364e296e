import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  MarginMSEDistillationStrategy,
  ResponseDistillationStrategy,
  VariationalDistillationStrategy,
} from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';
import golden from '../fixtures/sparse.json' with { type: 'json' };
import { isCompiled } from '../prove/kernels.js';
import {
  exportedDivergences,
  exportedStrategies,
  fixtureOf,
} from '../support/exportedStrategies.js';

// An exported strategy is complete if the tests prove it. proveStrategy fails without a fixture.

const families = readdirSync('src/strategies', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

test.each(exportedStrategies())('%s has a test file that calls proveStrategy', (name) => {
  const stem = fixtureOf(name);
  const family = families.find((each) => existsSync(`src/strategies/${each}/${stem}.ts`));
  expect(family, `the family that has ${stem}.ts`).toBeDefined();
  const file = `test/strategies/${family}/${stem}.test.ts`;
  expect(existsSync(file), file).toBe(true);
  expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^proveStrategy\\(\\s*${name},`, 'm'));
});

test('every divergence has golden values with sparse teachers', () => {
  const covered = new Set(golden.cases.map(({ strategy }) => strategy));
  const missing = Object.keys(exportedDivergences()).filter((name) => !covered.has(name));
  expect(missing, 'add to DIVERGENCES in test/fixtures/reference/sparse.py').toEqual([]);
});

test('every file of golden values belongs to an exported strategy', () => {
  const fixtures = readdirSync('test/fixtures')
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.replace('.json', ''));
  const others = ['kernels', 'sparse']; // golden values of kernels, and of several strategies
  const strategies = exportedStrategies().map(fixtureOf);
  expect(fixtures.filter((each) => !others.includes(each))).toEqual(strategies.sort());
});

test('the cases that reach a compiled kernel are detected', () => {
  const shared = { values: 'features', invariances: [] } as const;
  const response: StrategySubject = { ...shared, create: () => new ResponseDistillationStrategy() };
  const margins: StrategySubject = { ...shared, create: () => new MarginMSEDistillationStrategy() };
  const variational: StrategySubject = {
    ...shared,
    columns: 6,
    create: (numeric) => new VariationalDistillationStrategy({ channels: 3, numeric }),
  };
  expect([response, margins, variational].map(isCompiled)).toEqual([true, true, false]);
});
