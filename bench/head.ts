// Measures a loss of 2,048 × 32,000 logits from hidden states of width 256, through the head and
// with all logits in memory. For one step in a process of its own: npx tsx bench/head.ts
// throughHead sparse 96, or unfused, and head.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  computeThroughHead,
  type HeadLogits,
  Matrix,
  ResponseDistillationStrategy,
  SparseTargets,
} from 'knowledge-distillation';
import { HeadGradientOutputs } from '../src/head/gradients.js';
import { putLogits } from '../src/head/head.js';
import { KEEP_BUFFERS } from './pytorch.js';
import { type Cell, cell, type Table } from './report.js';

const SHAPE = { rows: 2048, columns: 32_000, width: 256 };
/** Shape of the warm-up, which has the kernels and the code around them compiled. */
const WARM_UP = { rows: 96, columns: 1024, width: 256 };

const KEPT = 64;
const TEMPERATURE = 2;

type Shape = typeof SHAPE;
type Teacher = HeadLogits | SparseTargets;

const TEACHERS: Record<string, (shape: Shape) => Teacher> = {
  head: (shape) => headOf(shape, 2),
  sparse: sparseTeacher,
};

/** The measured steps, by the name that a new process gets as its argument. */
const STEPS: Record<string, typeof throughHead> = { throughHead, unfused };

const strategy = new ResponseDistillationStrategy({ temperature: TEMPERATURE });

function throughHead(student: HeadLogits, teacher: Teacher, chunkRows?: number): number {
  return computeThroughHead(strategy, student, teacher, undefined, { chunkRows }).loss;
}

/** The same products, and one evaluation of the complete matrices. */
function unfused(student: HeadLogits, teacher: Teacher): number {
  const logits = logitsOf(student);
  const target = 'hidden' in teacher ? logitsOf(teacher) : teacher;
  const { loss, gradient } = strategy.computeLossAndGradient(logits, target);
  const outputs = new HeadGradientOutputs(student, {}, false);
  const hiddenGradient = Matrix.zeros(student.hidden.rows, student.hidden.columns);
  const part = { hidden: student.hidden, logitsGradient: gradient, hiddenGradient };
  outputs.add([...Array(gradient.rows).keys()], part);
  outputs.finish('unfused');
  return loss;
}

function logitsOf(head: HeadLogits): Matrix {
  const logits = Matrix.zeros(head.hidden.rows, head.weight.columns);
  putLogits(head, logits);
  return logits;
}

function waves(rows: number, columns: number, phase: number): Matrix {
  const matrix = Matrix.zeros(rows, columns);
  for (let i = 0; i < matrix.data.length; i++) matrix.data[i] = Math.sin(12.9898 * i + phase);
  return matrix;
}

function headOf({ rows, columns, width }: Shape, phase: number): HeadLogits {
  return { hidden: waves(rows, width, phase), weight: waves(width, columns, phase + 1) };
}

function sparseTeacher({ rows, columns }: Shape): SparseTargets {
  const step = Math.floor(columns / KEPT);
  const indices = Int32Array.from({ length: rows * KEPT }, (_, i) => (i % KEPT) * step);
  const logProbabilities = waves(rows, KEPT, 5);
  for (let i = 0; i < logProbabilities.data.length; i++) logProbabilities.data[i]! -= 6;
  return new SparseTargets({ indices, logProbabilities, columns, temperature: TEMPERATURE });
}

/** One measurement: the faster of two steps, and the peak of memory that the first step added. */
interface Measurement {
  readonly milliseconds: number;
  readonly bytes: number;
}

function measure(step: string, teacherKind: string, chunkRows?: number): Measurement {
  const run = STEPS[step]!;
  const problemOf = (shape: Shape) => [headOf(shape, 0), TEACHERS[teacherKind]!(shape)] as const;
  run(...problemOf(WARM_UP), chunkRows);
  const problem = problemOf(SHAPE);
  const before = process.memoryUsage.rss();
  const times: number[] = [];
  let most = 0;
  for (let round = 0; round < 2; round++) {
    const start = performance.now();
    run(...problem, chunkRows);
    times.push(performance.now() - start);
    if (round === 0) most = 1024 * process.resourceUsage().maxRSS;
  }
  return { milliseconds: Math.min(...times), bytes: most - before };
}

/** Environment of a process whose allocator returns memory to the system, which is the default. */
const ENV = {
  ...process.env,
  ...Object.fromEntries(Object.keys(KEEP_BUFFERS).map((key) => [key, undefined])),
};

/** Runs steps in new processes, in turn. */
export function headTables(rounds: number): Table[] {
  const self = fileURLToPath(import.meta.url);
  const teachers = Object.keys(TEACHERS);
  const steps = Object.keys(STEPS);
  const found = new Map<string, Measurement[]>();
  for (let round = 0; round < rounds; round++) {
    for (const teacher of teachers) {
      for (const step of steps) {
        const parameters = [...process.execArgv, self, step, teacher];
        const { stdout } = spawnSync(process.execPath, parameters, { encoding: 'utf8', env: ENV });
        const all = found.get(`${step} ${teacher}`) ?? [];
        found.set(`${step} ${teacher}`, [...all, JSON.parse(stdout)]);
      }
    }
  }
  const { rows, columns, width } = SHAPE;
  const size = `${rows} × ${columns} from width ${width}`;
  const tableOf = (name: string, unit: number, read: (of: Measurement) => number): Table => ({
    name: `${size}, ${name}`,
    columns: teachers.map((teacher) => ({ name: `teacher: ${teacher}`, unit })),
    lines: steps.map((step) => ({
      name: step,
      cells: teachers.map((teacher): Cell => {
        const times = (of: string) => ({ times: found.get(`${of} ${teacher}`)!.map(read) });
        const timings = new Map(steps.map((each) => [each, times(each)]));
        return cell(timings, step, 'unfused', 'cost');
      }),
    })),
  });
  return [
    tableOf('ms', 1, ({ milliseconds }) => milliseconds),
    tableOf('peak memory beside the inputs, MiB', 2 ** 20, ({ bytes }) => bytes),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , step, teacher, chunkRows] = process.argv;
  console.log(JSON.stringify(measure(step!, teacher!, chunkRows ? Number(chunkRows) : undefined)));
}
