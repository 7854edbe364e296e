import {
  type FloatArray,
  JensenShannonDistillationStrategy,
  type KernelName,
  Matrix,
  ResponseDistillationStrategy,
  ReverseKLDistillationStrategy,
  SparseTargets,
} from 'knowledge-distillation';
import { type Contestant, compete } from './compete.js';
import {
  contestant,
  type LibraryContestant,
  type Place,
  placesOf,
  withoutLoss,
} from './library.js';
import { ALPHA, makeProblem, normals, type Problem, SHORT, TEMPERATURE } from './problem.js';
import { type Cell, cell, type Table } from './report.js';

const STRATEGIES = {
  Response: ResponseDistillationStrategy<FloatArray>,
  JensenShannon: JensenShannonDistillationStrategy<FloatArray>,
  ReverseKL: ReverseKLDistillationStrategy<FloatArray>,
};
type Name = keyof typeof STRATEGIES;

const SIZES = [
  [256, 1000],
  [64, 32000],
] as const;

/** Number of classes that a sparse teacher keeps. */
const KEPT = 64;

/** A step that differs from the plain step in its inputs or options. */
interface Case {
  readonly name: string;
  /** Returns the inputs of the case. It may write into its argument, which is a copy. */
  readonly problem?: (problem: Problem) => Problem;
  readonly change?: LibraryContestant['change'];
  readonly options?: { readonly standardizeLogits: boolean };
  /** Number of logits, if it differs from the number of the table. */
  readonly logits?: number;
}

type Change = NonNullable<Case['change']>;

const FAR = 'far from the teacher';

/** Returns a student that is the teacher plus noise. */
function near(noise: number): (problem: Problem) => Problem {
  return (problem) => {
    const student = normals(problem, noise, 0.5);
    problem.teacher.forEach((logit, i) => {
      student[i]! += logit;
    });
    return { ...problem, student };
  };
}

/** Rules out the class after the label. */
function ruledOut(problem: Problem): Problem {
  const { labels, columns, student, teacher } = problem;
  labels.forEach((label, row) => {
    const at = row * columns + ((label + 1) % columns);
    student[at] = teacher[at] = -Infinity;
  });
  return problem;
}

function withNaN(problem: Problem): Problem {
  problem.student[0] = Number.NaN;
  return problem;
}

const masked: Change = (call) => {
  const mask = new Uint8Array(call.student.rows).fill(1);
  mask[0] = 0;
  return { ...call, options: { ...call.options, mask } };
};

/** Smooths the labels by 0.1. */
const softLabels: Change = (call) => {
  const { rows, columns, numeric } = call.student;
  const labels = Matrix.zeros(rows, columns, numeric);
  labels.data.fill(0.1 / columns);
  (call.labels as Int32Array).forEach((label, row) => {
    labels.data[row * columns + label]! += 0.9;
  });
  return { ...call, labels };
};

const accumulated: Change = (call, gradient) => {
  return { ...call, options: { gradient, accumulate: true } };
};

const sparse: Change = (call) => {
  const teacher = call.teacher as Matrix<FloatArray>;
  return { ...call, teacher: SparseTargets.topK(teacher, KEPT, { temperature: TEMPERATURE }) };
};

const CASES: readonly Case[] = [
  { name: FAR },
  { name: 'near: noise of 0.3', problem: near(0.3) },
  { name: 'near: noise of 0.001', problem: near(0.001) },
  { name: 'near: equal', problem: near(0) },
  { name: '−Infinity in each row, on both sides', problem: ruledOut },
  { name: 'NaN in a masked row', problem: withNaN, change: masked },
  { name: 'soft labels', change: softLabels },
  { name: 'accumulate', change: accumulated },
  { name: `sparse teacher, top ${KEPT}`, change: sparse },
  { name: 'standardized', options: { standardizeLogits: true } },
  { name: 'small batch, 32 × 10', problem: () => makeProblem(SHORT), logits: 320 },
];

/**
 * Makes a contestant of a case. Every case writes into an existing gradient, because a new one
 * costs as much as some cases do.
 */
function contestantOf(of: Case, name: Name, kernel: KernelName, place: Place): Contestant<Problem> {
  const options = { temperature: TEMPERATURE, alpha: ALPHA, ...of.options };
  const all = contestant({
    name: of.name,
    strategy: new STRATEGIES[name](options),
    kernel,
    place,
    change: (call, gradient) => {
      const plain = { ...call, options: { gradient } };
      return of.change ? of.change(plain, gradient) : plain;
    },
  });
  const prepare = (problem: Problem) => {
    const { student, teacher } = problem;
    const copy = { ...problem, student: student.slice(), teacher: teacher.slice() };
    return all.prepare(of.problem ? of.problem(copy) : copy);
  };
  return withoutLoss({ name: all.name, prepare });
}

/** Scales the cell of a case with another number of logits to the number of the table. */
function perLogit(of: Cell, factor: number): Cell {
  if (of === null || 'failed' in of) return of;
  const { ratio, milliseconds } = of;
  const cost = ratio === undefined ? {} : { ratio: ratio * factor };
  return { ...of, milliseconds: milliseconds * factor, ...cost };
}

/**
 * Measures nanoseconds per logit, and the cost relative to the plain case of the same column. A
 * relative cost of 1 is the aim.
 */
export async function inputTables(kernel: KernelName, rounds: number): Promise<Table[]> {
  const tables: Table[] = [];
  for (const [rows, columns] of SIZES) {
    const name = `inputs, ${rows} × ${columns}, float32, ${kernel}, ns a logit`;
    const problem = makeProblem({ rows, columns, dtype: 'float32' });
    const heads: string[] = [];
    const cells = CASES.map((): Cell[] => []);
    for (const strategy of Object.keys(STRATEGIES) as Name[]) {
      for (const place of placesOf(kernel).reverse()) {
        const contestants = CASES.map((of) => contestantOf(of, strategy, kernel, place));
        const timings = await compete(contestants, problem, { rounds, tolerance: 0 });
        heads.push(`${strategy}, ${place}`);
        CASES.forEach(({ name, logits = rows * columns }, i) => {
          const own = cell(timings, name, FAR, 'cost');
          cells[i]!.push(perLogit(own, (rows * columns) / logits));
        });
        console.error(`${name}: ${strategy}, ${place} done`);
      }
    }
    const unit = 1e-6 * rows * columns;
    const lines = CASES.map(({ name }, i) => ({ name, cells: cells[i]! }));
    tables.push({ name, columns: heads.map((head) => ({ name: head, unit })), lines });
  }
  return tables;
}
