import type { KernelName } from 'knowledge-distillation';
import { type Contestant, compete } from './compete.js';
import { contestant, placesOf } from './library.js';
import { makeProblem, type Problem, type Shape } from './problem.js';
import type { PyTorch } from './pytorch.js';
import { cell, type Table } from './report.js';
import type { Entry } from './strategies.js';

/** Tolerance of losses in float32 on both sides; PyTorch adds 256,000 terms in float32. */
const TOLERANCE = 1e-4;

export interface StrategyTable {
  readonly name: string;
  readonly entries: readonly Entry[];
  readonly shape: Shape;
  readonly kernels: readonly KernelName[];
  readonly pytorch: PyTorch | undefined;
  /** True if torch.compile takes part. */
  readonly compiles: boolean;
  readonly rounds: number;
  /** Milliseconds in one unit of the printed times; 1 by default. */
  readonly unit?: number;
}

/** Compares strategies with PyTorch eager: their times, and their relative speed. */
export async function strategyTable(table: StrategyTable): Promise<Table> {
  const { name, entries, shape, kernels, pytorch, compiles, rounds, unit = 1 } = table;
  const contestantsOf = (entry: Entry): Contestant<Problem>[] => [
    ...kernels.flatMap((kernel) =>
      placesOf(kernel).map((place) =>
        contestant({ ...entry, name: `${kernel}, ${place}`, kernel, place }),
      ),
    ),
    ...(pytorch ? [pytorch.eager(entry)] : []),
    ...(pytorch && compiles ? [pytorch.compiled(entry)] : []),
  ];
  const names = contestantsOf(entries[0]!).map((each) => each.name);
  const lines: Table['lines'][number][] = [];
  for (const entry of entries) {
    const problem = makeProblem(shape);
    const timings = await compete(contestantsOf(entry), problem, { rounds, tolerance: TOLERANCE });
    const cells = names.map((each) => cell(timings, each, pytorch?.name));
    lines.push({ name: entry.name, cells });
    console.error(`${name}: ${entry.name} done`);
  }
  return { name, columns: names.map((each) => ({ name: each, unit })), lines };
}
