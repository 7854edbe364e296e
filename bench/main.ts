import '../assembly/relaxedSimd.js';
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { coldStarts } from './cold.js';
import { handWritten } from './handWritten.js';
import { jax } from './jax.js';
import { library } from './library.js';
import { startOnnx } from './onnx.js';
import { type Contestant, makeProblem, median, type Prepared, type Shape } from './problem.js';
import { KEEP_BUFFERS, startPyTorch } from './pytorch.js';
import { writeReadme } from './readme.js';
import { tensorflow } from './tensorflow.js';

const SIZES = [
  { rows: 32, columns: 10 },
  { rows: 256, columns: 1000 },
  { rows: 64, columns: 32000 },
  { rows: 16, columns: 151936 },
];
/** Each contestant runs at least so long in each round, in milliseconds. */
const ROUND = 50;
/** Who needs longer than this for one step takes part in the first rounds only. */
const SLOW = 400;
const ROUNDS_OF_THE_SLOW = 3;

/** What one contestant needed in each round, in nanoseconds for each logit. */
interface Timing {
  readonly name: string;
  readonly rounds: readonly number[];
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      rounds: { type: 'string', default: '9' },
      write: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(options.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new RangeError('--rounds is a number');
  const pytorch = [startPyTorch(1), startPyTorch(2)].filter((found) => found !== undefined);
  const [baseline] = pytorch;
  if (!baseline) console.log('PyTorch is not installed: there is nothing to compare with');
  const onnx = startOnnx();
  const contestants = [
    ...library(),
    ...pytorch,
    tensorflow('wasm'),
    tensorflow('cpu'),
    jax,
    ...(onnx ? [onnx] : []),
    handWritten,
  ];
  const node = `Node ${process.versions.node} with relaxed SIMD`;
  const processor = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${node}`;
  const lines = [`${processor}; medians of ${rounds} rounds in turn.`];
  for (const dtype of ['float32', 'float64'] as const) {
    const columns: Timing[][] = [];
    for (const size of SIZES) {
      columns.push(await compete(contestants, { ...size, dtype }, rounds));
      console.log(`${dtype}, ${size.rows} × ${size.columns}: done`);
    }
    lines.push('', ...table(dtype, columns, contestants, baseline?.name));
  }
  lines.push('', ...coldStarts(5));
  console.log(`\n${lines.join('\n')}`);
  if (options.write) writeReadme(lines);
  for (const { stop } of contestants) stop?.();
}

/** All contestants in turn, round after round, so that a machine that slows down slows them all. */
async function compete(
  contestants: readonly Contestant[],
  shape: Shape,
  rounds: number,
): Promise<Timing[]> {
  const problem = makeProblem(shape);
  const ready: { name: string; prepared: Prepared; repetitions: number; times: number[] }[] = [];
  for (const { name, prepare } of contestants) {
    const prepared = await prepare(problem);
    if (!prepared) continue;
    let once = await prepared.run(1);
    // Until the code is compiled.
    for (let spent = once; spent < 4 * ROUND; spent += once) once = await prepared.run(1);
    once = (await prepared.run(3)) / 3;
    const repetitions = Math.max(1, Math.ceil(ROUND / once));
    ready.push({ name, prepared, repetitions, times: [] });
  }
  const losses = ready.map(({ prepared }) => prepared.loss);
  // TensorFlow.js sums 151,936 terms in float32, and is off by up to half a thousandth.
  if (losses.some((loss) => Math.abs(loss / losses[0]! - 1) > 2e-3)) {
    throw new Error(`the contestants do not compute the same loss: ${losses.join(', ')}`);
  }
  for (let round = 0; round < rounds; round++) {
    for (const { prepared, repetitions, times } of ready) {
      if (round >= ROUNDS_OF_THE_SLOW && times[0]! * shape.rows * shape.columns > 1e6 * SLOW) {
        continue;
      }
      const milliseconds = await prepared.run(repetitions);
      times.push((1e6 * milliseconds) / (repetitions * shape.rows * shape.columns));
    }
  }
  for (const { prepared } of ready) prepared.dispose?.();
  return ready.map(({ name, times }) => ({ name, rounds: times }));
}

/** A line for each contestant: nanoseconds a logit, and how many times as fast as the baseline. */
function table(
  dtype: string,
  columns: readonly Timing[][],
  contestants: readonly Contestant[],
  baseline: string | undefined,
): string[] {
  const sizes = SIZES.map(({ rows, columns }) => `${rows} × ${columns}`);
  const lines = [`| ${dtype} | ${sizes.join(' | ')} |`, `|---${'|---'.repeat(sizes.length)}|`];
  for (const { name } of contestants) {
    const cells = columns.map((timings) => {
      const rounds = timings.find((timing) => timing.name === name)?.rounds;
      const reference = timings.find((timing) => timing.name === baseline)?.rounds;
      if (!rounds) return '';
      const time = median(rounds).toPrecision(3);
      if (!reference || name === baseline) return time;
      const ratio = median(rounds.map((own, round) => reference[round]! / own));
      return `${time} (${ratio.toPrecision(2)}×)`;
    });
    if (cells.some((cell) => cell !== '')) lines.push(`| ${name} | ${cells.join(' | ')} |`);
  }
  return lines;
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
