import type { KernelName } from 'knowledge-distillation';
import { type Contestant, compete, type Timings } from './compete.js';
import { handWritten } from './handWritten.js';
import { jax } from './jax.js';
import { responses } from './library.js';
import { startOnnx } from './onnx.js';
import { ALPHA, makeProblem, type Problem, TEMPERATURE } from './problem.js';
import type { PyTorch } from './pytorch.js';
import { cell, type Table } from './report.js';
import { asLoss, tensorflow } from './tensorflow.js';

const SIZES = [
  { rows: 32, columns: 10 },
  { rows: 256, columns: 1000 },
  { rows: 64, columns: 32000 },
  { rows: 16, columns: 151936 },
];

/** TensorFlow.js adds 151,936 terms in float32, with a relative error of up to 0.0005. */
const TOLERANCE = 2e-3;

/**
 * Compares all implementations of the response loss: nanoseconds per logit, and speed relative to
 * PyTorch on one thread.
 */
export async function responseTables(
  pytorch: readonly PyTorch[],
  kernels: readonly KernelName[],
  rounds: number,
): Promise<Table[]> {
  const loss = { loss: 'response', options: { temperature: TEMPERATURE, alpha: ALPHA } };
  const [single] = pytorch;
  const onnx = startOnnx();
  const contestants: Contestant<Problem>[] = [
    ...responses(kernels),
    ...pytorch.map(({ eager }) => eager(loss)),
    ...(single ? [single.compiled(loss)] : []),
    tensorflow('wasm'),
    tensorflow('cpu'),
    jax,
    ...(onnx ? [onnx] : []),
    handWritten,
  ];
  const tables: Table[] = [];
  for (const dtype of ['float32', 'float64'] as const) {
    const all: Timings[] = [];
    for (const size of SIZES) {
      const problem = makeProblem({ ...size, dtype });
      all.push(await compete(contestants, problem, { rounds, tolerance: TOLERANCE }));
      console.error(`response, ${dtype}, ${size.rows} × ${size.columns} done`);
    }
    tables.push({
      name: `${dtype}, ns a logit`,
      columns: SIZES.map(({ rows, columns }) => ({
        name: `${rows} × ${columns}`,
        unit: 1e-6 * rows * columns,
      })),
      lines: contestants.map(({ name }) => ({
        name,
        cells: all.map((timings) => cell(timings, name, single?.name)),
      })),
    });
  }
  return tables;
}

/**
 * Compares loss and gradient on tensors of TensorFlow.js: milliseconds, and speed relative to the
 * same loss made of TensorFlow.js operations.
 */
export async function tensorflowTable(rounds: number): Promise<Table> {
  const problem = makeProblem({ rows: 256, columns: 1000, dtype: 'float32' });
  const timings = await compete(asLoss, problem, { rounds, tolerance: TOLERANCE });
  const names = asLoss.map(({ name }) => name);
  return {
    name: 'in TensorFlow.js, wasm, ms',
    columns: [{ name: `${problem.rows} × ${problem.columns}`, unit: 1 }],
    lines: names.map((name) => ({ name, cells: [cell(timings, name, names.at(-1))] })),
  };
}
