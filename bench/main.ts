import '../assembly/relaxedSimd.js';
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { coldStarts } from './cold.js';
import { type Contestant, cell, compete, type Timings, table } from './compete.js';
import { handWritten } from './handWritten.js';
import { jax } from './jax.js';
import { kernels, library } from './library.js';
import { startOnnx } from './onnx.js';
import { makeProblem, type Problem } from './problem.js';
import { KEEP_BUFFERS, type PyTorch, startPyTorch } from './pytorch.js';
import { writeReadme } from './readme.js';
import * as relations from './relations.js';
import * as sparse from './sparse.js';
import { asLoss, tensorflow } from './tensorflow.js';

const SIZES = [
  { rows: 32, columns: 10 },
  { rows: 256, columns: 1000 },
  { rows: 64, columns: 32000 },
  { rows: 16, columns: 151936 },
];

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      rounds: { type: 'string', default: '9' },
      write: { type: 'boolean', default: false },
      only: { type: 'string' },
    },
  });
  const rounds = Number(options.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new RangeError('--rounds is a number');
  if (options.write && options.only !== undefined) throw new Error('--write writes all tables');
  const pytorch = [await startPyTorch(1), await startPyTorch(2)].filter(
    (found) => found !== undefined,
  );
  const [baseline] = pytorch;
  if (!baseline) console.log('PyTorch is not installed: there is nothing to compare with');
  const parts = {
    response: () => responseTables(pytorch, rounds),
    relations: () => relationTable(baseline, rounds),
    sparse: () => sparseTable(rounds),
    tfjs: () => tensorflowTable(rounds),
    cold: async () => coldStarts(5),
  };
  const node = `Node ${process.versions.node} with relaxed SIMD`;
  const who = [cpus()[0]?.model.trim(), `${cpus().length} cores`, node, baseline?.version];
  const lines = [`${who.filter(Boolean).join(', ')}; medians of ${rounds} rounds in turn.`];
  for (const [name, part] of Object.entries(parts)) {
    if (options.only !== undefined && options.only !== name) continue;
    lines.push('', ...(await part()));
    console.log(`${name}: done`);
  }
  console.log(`\n${lines.join('\n')}`);
  for (const { stop } of pytorch) stop();
  if (options.write) writeReadme(lines);
}

/** The response loss: nanoseconds a logit, and how many times as fast as PyTorch on one thread. */
async function responseTables(pytorch: readonly PyTorch[], rounds: number): Promise<string[]> {
  const onnx = startOnnx();
  const contestants: Contestant<Problem>[] = [
    ...library(),
    ...pytorch.map(({ response }) => response),
    tensorflow('wasm'),
    tensorflow('cpu'),
    jax,
    ...(onnx ? [onnx] : []),
    handWritten,
  ];
  const lines: string[] = [];
  for (const dtype of ['float32', 'float64'] as const) {
    const columns: { unit: number; timings: Timings }[] = [];
    for (const size of SIZES) {
      const timings = await compete(contestants, makeProblem({ ...size, dtype }), rounds);
      columns.push({ unit: 1e-6 * size.rows * size.columns, timings });
      console.log(`${dtype}, ${size.rows} × ${size.columns}: done`);
    }
    const heads = [dtype, ...SIZES.map(({ rows, columns }) => `${rows} × ${columns}`)];
    const names = contestants.map(({ name }) => name);
    const cells = (name: string) =>
      columns.map(({ unit, timings }) => cell(timings, name, pytorch[0]?.name, unit));
    lines.push(...(lines.length > 0 ? [''] : []), ...table(heads, names, cells));
  }
  return lines;
}

/** Losses that compare rows with each other: milliseconds, and how many times as fast as PyTorch on one thread. */
async function relationTable(baseline: PyTorch | undefined, rounds: number): Promise<string[]> {
  const contestants = [...relations.library(), ...(baseline ? [baseline.relations] : [])];
  const columns: Timings[] = [];
  for (const problem of relations.RELATIONS) {
    columns.push(await compete(contestants, problem, rounds));
  }
  const heads = relations.RELATIONS.map(
    ({ name, rows, columns }) => `${name}, ${rows} × ${columns}`,
  );
  const names = contestants.map(({ name }) => name);
  return table(['a batch in float32, ms', ...heads], names, (name) =>
    columns.map((timings) => cell(timings, name, baseline?.name)),
  );
}

/** The soft loss of a teacher of few classes: milliseconds, and how many times as fast as that of all classes. */
async function sparseTable(rounds: number): Promise<string[]> {
  const problem = makeProblem({ rows: 64, columns: 32000, dtype: 'float32' });
  const timings = await compete(sparse.library(), problem, rounds);
  const heads = [`KL at ${problem.rows} × ${problem.columns} in float32, ms`];
  heads.push('of all classes', `of the teacher's ${sparse.KEPT} largest`);
  return table(heads, kernels(), (kernel) =>
    [false, true].map((isSparse) =>
      cell(timings, sparse.name(kernel, isSparse), sparse.name(kernel, false)),
    ),
  );
}

/** Loss and gradient on the tensors of TensorFlow.js: milliseconds, and how many times as fast as its own operations. */
async function tensorflowTable(rounds: number): Promise<string[]> {
  const problem = makeProblem({ rows: 256, columns: 1000, dtype: 'float32' });
  const timings = await compete(asLoss, problem, rounds);
  const names = asLoss.map(({ name }) => name);
  const heads = ['in TensorFlow.js, wasm, ms', `${problem.rows} × ${problem.columns}`];
  return table(heads, names, (name) => [cell(timings, name, names.at(-1))]);
}

/** The same in a process whose allocator keeps buffers, as PyTorch's then does too: it reads the settings as it starts. */
function again(): never {
  const self = fileURLToPath(import.meta.url);
  const parameters = [...process.execArgv, self, ...process.argv.slice(2)];
  const env = { ...process.env, ...KEEP_BUFFERS };
  const { status } = spawnSync(process.execPath, parameters, { env, stdio: 'inherit' });
  process.exit(status ?? 1);
}

if (process.env.MALLOC_TOP_PAD_ === undefined) again();
// A rejection that nobody handles would end in a dump of the wasm backend's source.
main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
