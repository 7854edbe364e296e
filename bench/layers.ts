import {
  AttentionDistillationStrategy,
  FeatureDistillationStrategy,
  type FloatArray,
  HybridDistillationStrategy,
  type KernelName,
  Matrix,
  ResponseDistillationStrategy,
} from 'knowledge-distillation';
import { type Contestant, compete, prepared } from './compete.js';
import { withKernel } from './library.js';
import { makeProblem, type Problem } from './problem.js';
import { type Cell, cell, type Table } from './report.js';

/** Outputs of one layer of a 12-layer transformer for 64 samples. */
const LAYERS = {
  output: { rows: 256, columns: 1000 },
  /** 64 samples × 4 heads × 64 queries, 64 keys. */
  attention: { rows: 64 * 4 * 64, columns: 64 },
  hidden: { rows: 256, columns: 768 },
};
type Layer = keyof typeof LAYERS;

const HYBRID = 'computeLayerwise';
const SUM = 'the three, one after the other';

/** Compares a layer-by-layer hybrid with its strategies alone: milliseconds, and relative cost. */
export async function layerTable(kernel: KernelName, rounds: number): Promise<Table> {
  const strategies = {
    output: new ResponseDistillationStrategy<FloatArray>({ temperature: 3, alpha: 0.3 }),
    attention: new AttentionDistillationStrategy<FloatArray>({ match: 'kl', input: 'scores' }),
    hidden: new FeatureDistillationStrategy<FloatArray>({ metric: 'mse' }),
  };
  const layers = Object.keys(LAYERS) as Layer[];
  const weight = 1 / 3;
  const hybrid = new HybridDistillationStrategy<FloatArray>(
    layers.map((layer) => ({ strategy: strategies[layer], weight, layer })),
  );
  const problems = {} as Record<Layer, Problem>;
  const student = {} as Record<Layer, Matrix<FloatArray>>;
  const teacher = {} as Record<Layer, Matrix<FloatArray>>;
  for (const layer of layers) {
    const { rows, columns } = LAYERS[layer];
    problems[layer] = makeProblem({ rows, columns, dtype: 'float32' });
    student[layer] = new Matrix(problems[layer].student, rows, columns);
    teacher[layer] = new Matrix(problems[layer].teacher, rows, columns);
  }
  const { labels } = problems.output;
  const alone = (layer: Layer) => {
    const own = layer === 'output' ? labels : undefined;
    return strategies[layer].computeLossAndGradient(student[layer], teacher[layer], own).loss;
  };
  const all = () => layers.reduce((sum, layer) => sum + weight * alone(layer), 0);
  const contestant = (name: string, step: () => number): Contestant<undefined> => ({
    name,
    prepare: () => withKernel(kernel, () => prepared(step)),
  });
  const together = [
    contestant(SUM, all),
    contestant(HYBRID, () => hybrid.computeLayerwise(student, teacher, labels).loss),
  ];
  const timings = await compete(together, undefined, { rounds, tolerance: 1e-6 });
  const cells: Cell[] = [cell(timings, SUM), cell(timings, HYBRID, SUM, 'cost')];
  return {
    name: `three layers, float32, ${kernel}, ms`,
    columns: [
      { name: SUM, unit: 1 },
      { name: HYBRID, unit: 1 },
    ],
    lines: [{ name: 'response 256 × 1000, attention 16384 × 64, feature 256 × 768', cells }],
  };
}
