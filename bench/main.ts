import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { handWritten } from './handWritten.js';
import { library } from './library.js';
import { type Contestant, makeProblem, type Prepared, type Shape } from './problem.js';
import { startPyTorch } from './pytorch.js';
import { tensorflow } from './tensorflow.js';

const SIZES = [
  { rows: 32, columns: 10 },
  { rows: 256, columns: 1000 },
  { rows: 64, columns: 32000 },
  { rows: 16, columns: 151936 },
];
/** Each contestant runs at least so long in each round, in milliseconds. */
const ROUND = 50;

/** What one contestant needed in each round, in nanoseconds for each logit. */
interface Timing {
  readonly name: string;
  readonly rounds: readonly number[];
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      rounds: { type: 'string', default: '9' },
    },
  });
  const rounds = Number(options.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new RangeError('--rounds is a number');
  const pytorch = startPyTorch(1);
  if (!pytorch) console.log('PyTorch is not installed: there is nothing to compare with');
  const contestants = [library, handWritten, tensorflow, ...(pytorch ? [pytorch] : [])];
  const processor = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}`;
  console.log(`${processor}; medians of ${rounds} rounds in turn\n`);
  console.log('| logits | contestant | ns a logit | times as fast as PyTorch |');
  console.log('|---|---|---|---|');
  for (const dtype of ['float32', 'float64'] as const) {
    for (const size of SIZES) {
      const shape: Shape = { ...size, dtype };
      const timings = await compete(contestants, shape, rounds);
      for (const line of describe(shape, timings, pytorch?.name)) console.log(line);
    }
  }
  pytorch?.stop();
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
    await prepared.run(3); // until the code is compiled
    const once = await prepared.run(1);
    ready.push({ name, prepared, repetitions: Math.max(1, Math.ceil(ROUND / once)), times: [] });
  }
  const losses = ready.map(({ prepared }) => prepared.loss);
  // TensorFlow.js sums 151,936 terms in float32, and is off by up to half a thousandth.
  if (losses.some((loss) => Math.abs(loss / losses[0]! - 1) > 2e-3)) {
    throw new Error(`the contestants do not compute the same loss: ${losses.join(', ')}`);
  }
  for (let round = 0; round < rounds; round++) {
    for (const { prepared, repetitions, times } of ready) {
      const milliseconds = await prepared.run(repetitions);
      times.push((1e6 * milliseconds) / (repetitions * shape.rows * shape.columns));
    }
  }
  for (const { prepared } of ready) prepared.dispose?.();
  return ready.map(({ name, times }) => ({ name, rounds: times }));
}

/** A row of the table for each contestant. */
function describe(shape: Shape, timings: readonly Timing[], baseline?: string): string[] {
  const reference = timings.find(({ name }) => name === baseline);
  return timings.map(({ name, rounds }) => {
    const ratios = rounds.map((time, round) => (reference?.rounds[round] ?? Number.NaN) / time);
    const ratio = name === baseline ? '1' : median(ratios).toPrecision(2);
    const size = `${shape.rows} × ${shape.columns}, ${shape.dtype}`;
    return `| ${size} | ${name} | ${median(rounds).toPrecision(3)} | ${ratio} |`;
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

// A rejection that nobody handles would end in a dump of the wasm backend's source.
main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
