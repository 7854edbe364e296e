import '../assembly/relaxedSimd.js';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { KernelName } from 'knowledge-distillation';
import { coldTable } from './cold.js';
import { responseTables, tensorflowTable } from './competitors.js';
import { linesOf, writeTables } from './document.js';
import { headTables } from './head.js';
import { inputTables } from './inputs.js';
import { layerTable } from './layers.js';
import { kernels } from './library.js';
import { SHORT } from './problem.js';
import { KEEP_BUFFERS, startPyTorch } from './pytorch.js';
import type { Table } from './report.js';
import { machine, type Run, writeRun } from './run.js';
import { storeTable } from './store.js';
import { RANKINGS, STRATEGIES } from './strategies.js';
import { strategyTable } from './strategyTable.js';

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      rounds: { type: 'string', default: '9' },
      write: { type: 'boolean', default: false },
      only: { type: 'string' },
      kernels: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const rounds = Number(options.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new RangeError('--rounds is a number');
  if (options.write && options.only !== undefined) throw new Error('--write writes all tables');
  const found = kernels();
  const chosen = chooseKernels(found, options.kernels);
  const pytorch = [await startPyTorch(1), await startPyTorch(2)].filter((one) => one !== undefined);
  const [single] = pytorch;
  if (!single) console.error('PyTorch is not installed: there is nothing to compare with');
  const [best] = chosen;
  const common = { kernels: chosen, pytorch: single, rounds };
  const parts: { [name: string]: () => Promise<Table[]> } = {
    response: () => responseTables(pytorch, options.kernels ? chosen : found, rounds),
    strategies: async () => [
      await strategyTable({
        ...common,
        name: '256 × 1000, float32, ms',
        entries: STRATEGIES,
        shape: { rows: 256, columns: 1000, dtype: 'float32' },
        compiles: true,
      }),
      await strategyTable({
        ...common,
        name: '256 × 64, float32, µs',
        unit: 1e-3,
        entries: RANKINGS,
        shape: { rows: 256, columns: 64, dtype: 'float32' },
        compiles: true,
      }),
    ],
    short: async () => [
      await strategyTable({
        ...common,
        name: '32 × 10, float32, µs',
        unit: 1e-3,
        entries: STRATEGIES.filter(({ hasLabels }) => hasLabels),
        shape: SHORT,
        compiles: false,
      }),
    ],
    inputs: () => inputTables(best, rounds),
    layers: async () => [await layerTable(best, rounds)],
    head: async () => headTables(rounds),
    tfjs: async () => [await tensorflowTable(rounds)],
    store: async () => [await storeTable(rounds)],
    cold: async () => [coldTable(5)],
  };
  const { only } = options;
  if (only !== undefined && !Object.hasOwn(parts, only)) {
    throw new RangeError(`--only is one of ${Object.keys(parts).join(', ')}`);
  }
  const versions = single ? [single.version, await single.startCompiler()] : [];
  const tables: Table[] = [];
  for (const [name, part] of Object.entries(parts)) {
    if (only === undefined || only === name) tables.push(...(await part()));
  }
  for (const { stop } of pytorch) stop();
  const run: Run = { ...machine(versions), rounds, tables };
  console.log(linesOf(run).join('\n'));
  if (options.json !== undefined) writeRun(options.json, run);
  if (options.write) writeTables(run);
}

/** Parses a list of kernels; without a list, returns all compiled kernels. */
function chooseKernels(found: KernelName[], list?: string): [KernelName, ...KernelName[]] {
  const names = list?.split(',') ?? ['fma', 'simd'];
  const [first, ...rest] = found.filter((kernel) => names.includes(kernel));
  if (first === undefined) throw new RangeError(`--kernels is a list of ${found.join(', ')}`);
  return [first, ...rest];
}

/**
 * Runs this file again in a process whose allocator keeps freed buffers, as the allocator of
 * PyTorch's process does then, too. An allocator reads these settings at its start.
 */
function rerun(): never {
  const self = fileURLToPath(import.meta.url);
  const parameters = [...process.execArgv, self, ...process.argv.slice(2)];
  const env = { ...process.env, ...KEEP_BUFFERS };
  const { status } = spawnSync(process.execPath, parameters, { env, stdio: 'inherit' });
  process.exit(status ?? 1);
}

if (process.env.MALLOC_TOP_PAD_ === undefined) rerun();
// Without this handler, a rejected promise would print the source of the wasm backend.
main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
