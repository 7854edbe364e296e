import { describe } from 'vitest';
import { DivergenceDistillationStrategyBase } from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';
import { describeKernels } from '../support/describeKernels.js';
import { fixtureOf } from '../support/exportedStrategies.js';
import { proveAllocation } from './allocation.js';
import { proveDegenerate, proveUnusable } from './degenerate.js';
import { proveGolden } from './golden.js';
import { goldenFile } from './goldenCases.js';
import { proveHistories } from './histories.js';
import { describeCase } from './kernels.js';
import { proveLaws } from './laws.js';
import { proveRefusals } from './refusals.js';
import { proveSparse, type SparsePromises } from './sparse.js';

/** The laws' description of one choice of options. */
export interface LawCase extends StrategySubject {
  /** The reason for a call to allocate more than a few rows beside the gradient, if it must. */
  readonly allocates?: string;
}

/** Cases by name, one for each choice of options that changes the formula. */
export type LawCases = Readonly<Record<string, LawCase>>;

/** A strategy class, whose name is its own. */
interface StrategyClass {
  readonly name: string;
  readonly prototype: object;
}

/**
 * Registers all tests of a strategy: the laws, its golden values, finite results for degenerate
 * input, the refusal of unusable input, calls that leave no trace in later ones, and the
 * allocations of a call. A case whose small calls reach a compiled kernel is tested on each kernel.
 *
 * @param Strategy - the exported class; its golden values are in the fixture of the same name
 * @param cases - one case for each choice of options that changes the formula
 * @param sparse - for a divergence: its properties with a sparse teacher
 */
export function proveStrategy(
  Strategy: StrategyClass,
  cases: LawCases,
  sparse: SparsePromises = {},
): void {
  const { name, prototype } = Strategy;
  for (const [each, { allocates, ...subject }] of Object.entries(cases)) {
    const title = `${name}, ${each}`;
    describeCase(title, subject, (options) => {
      proveLaws(subject, options);
      proveDegenerate(subject);
      proveUnusable(subject);
      proveRefusals(subject);
    });
    // A loss of all rows together needs them at once.
    if (allocates !== undefined || subject.sumOverRows === false) continue;
    describe(title, () => proveAllocation(subject));
  }
  describe(name, () => proveHistories(cases));
  const fixture = fixtureOf(name);
  describe(`${name}, golden values`, async () => {
    const file = await goldenFile(fixture);
    describeKernels('golden values', () => proveGolden(fixture, file));
  });
  if (prototype instanceof DivergenceDistillationStrategyBase) proveSparse(Strategy, sparse);
}

/**
 * Registers that unusable input is refused in cases that need no laws, since their loss nearly
 * vanishes.
 */
export function proveVanishing(Strategy: StrategyClass, cases: LawCases): void {
  for (const [each, subject] of Object.entries(cases)) {
    describeCase(`${Strategy.name}, ${each}`, subject, () => proveUnusable(subject));
  }
}
