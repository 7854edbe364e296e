import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Contestant } from './compete.js';
import { makeProblem, type Problem } from './problem.js';
import { findPython } from './pytorch.js';
import { cell, type Table } from './report.js';

/** The contestants, by the name that a new process gets as its argument. */
const LOADERS: Record<string, () => Promise<Contestant<Problem>>> = {
  'this library': async () => (await import('./library.js')).withDefaults(),
  'TensorFlow.js, wasm': async () => (await import('./tensorflow.js')).tensorflow('wasm'),
  'jax-js, wasm': async () => (await import('./jax.js')).jax,
};

/**
 * Measures the milliseconds from the import to the first gradient of 64 × 1000 logits. Each run is
 * a new process, and contestants take turns.
 */
export function coldTable(runs: number): Table {
  const self = fileURLToPath(import.meta.url);
  const here = (name: string) => () => ask(process.execPath, [...process.execArgv, self, name]);
  const python = findPython();
  const script = fileURLToPath(new URL('pytorch.py', import.meta.url));
  const starts = Object.keys(LOADERS).map((name) => ({ name, start: here(name) }));
  if (python) starts.push({ name: 'PyTorch eager', start: () => ask(python, [script, '--cold']) });
  const timings = new Map(starts.map(({ name }) => [name, { times: [] as number[] }]));
  for (let run = 0; run < runs; run++) {
    for (const { name, start } of starts) timings.get(name)!.times.push(start());
  }
  return {
    name: 'from the import to the first gradient of 64 × 1000, ms',
    columns: [{ name: 'cold', unit: 1 }],
    lines: starts.map(({ name }) => ({ name, cells: [cell(timings, name)] })),
  };
}

/** Returns the number that a process prints as its last line. */
function ask(command: string, options: string[]): number {
  const { stdout } = spawnSync(command, options, { encoding: 'utf8' });
  return Number(stdout.trim().split('\n').at(-1));
}

async function once(name: string): Promise<void> {
  const start = performance.now();
  const contestant = await LOADERS[name]!();
  await contestant.prepare(makeProblem({ rows: 64, columns: 1000, dtype: 'float32' }));
  console.log(performance.now() - start);
  process.exit(0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await once(process.argv[2]!);
