import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DistillationError,
  DistillationStrategyBase,
  type EvaluationOptions,
  type Labels,
  Matrix,
  type ResponseDistillationStrategy,
} from '../../../src/index.js';
import { drawChart, SERIES, type TopLevelSpec } from '../../../tools/charts/chart.js';
import { Bump, LABEL, TWO_PEAKS } from '../../bumps.js';
import type { Strategy } from '../../catalogue/catalogue.js';
import { pagesFolder } from './repository.js';

// The value and the slope of a loss, computed by the library: over a student of one peak that moves
// past a teacher of two, or along a line through the student of the strategy's example.

/** A loss and its slope over a path of students. */
export interface Plot {
  readonly drawings: readonly [string, string];
  readonly caption: string;
}

const library: Readonly<Record<string, unknown>> = await import('../../../src/index.js');

interface Point {
  readonly x: number;
  readonly loss: number;
  readonly slope: number;
}

interface Path {
  readonly points: readonly Point[];
  readonly title: string;
  readonly marks: readonly number[];
  readonly caption: string;
}

/** Draws a strategy; `undefined` for one whose example makes no call with two matrices. */
export async function plot(strategy: Strategy): Promise<Plot | undefined> {
  const path = pastTwoPeaks(strategy) ?? (await alongExample(strategy));
  if (!path) return undefined;
  const drawings = [await draw(path, 'loss'), await draw(path, 'slope')] as const;
  return { drawings, caption: path.caption };
}

/** For losses of logits that take a single row. */
function pastTwoPeaks({ family, className, labels }: Strategy): Path | undefined {
  if (family !== 'response') return undefined;
  const Loss = library[className] as typeof ResponseDistillationStrategy;
  const label = labels === 'required' || className.startsWith('CrossEntropy') ? LABEL : undefined;
  const strategy = new Loss<Float64Array>({ alpha: 0, temperature: 1 });
  const means = Array.from({ length: 81 }, (_, index) => index / 2);
  const points = pointsOf(means, (x) => new Bump(x).evaluate(strategy, TWO_PEAKS, label));
  if (points.length < means.length) return undefined;
  return {
    points,
    title: 'peak of the student',
    marks: [12, 30],
    caption:
      'A student of one peak moves past a teacher of two (dashed lines), at T = 1 and α = 0: the loss, and its derivative by the place of the peak.',
  };
}

interface Call {
  readonly strategy: DistillationStrategyBase<Float32Array>;
  readonly student: Matrix<Float32Array>;
  readonly teacher: Matrix<Float32Array>;
  readonly labels: Labels<Float32Array> | undefined;
  readonly options: EvaluationOptions<Float32Array> | undefined;
}

/** From the teacher through the student where both have one shape; else against the gradient. */
async function alongExample(documented: Strategy): Promise<Path | undefined> {
  const call = await callOf(documented);
  if (!call) return undefined;
  const { student, teacher } = call;
  const isOneShape =
    teacher instanceof Matrix &&
    student.columns === teacher.columns &&
    student.rows === teacher.rows;
  if (isOneShape) {
    const direction = student.data.map((value, index) => value - teacher.data[index]!);
    const steps = Array.from({ length: 81 }, (_, index) => index / 40);
    return {
      points: walk(call, teacher.data, direction, steps),
      title: 'teacher 0, student 1',
      marks: [0, 1],
      caption:
        'Students on a line from the teacher (0) through the student of the example (1): the loss, and its derivative along the line.',
    };
  }
  const { data } = call.strategy.computeGradient(student, teacher, call.labels, call.options);
  const length = Math.hypot(...data);
  if (length === 0) return undefined;
  const scale = Math.hypot(...student.data) / length;
  const direction = data.map((value) => -value * scale);
  const steps = Array.from({ length: 81 }, (_, index) => (index - 20) / 40);
  return {
    points: walk(call, student.data, direction, steps),
    title: 'way against the gradient',
    marks: [0],
    caption:
      'Students on a line from the student of the example (0) against its gradient, in units of the student’s length: the loss, and its derivative along the line.',
  };
}

function walk(
  { strategy, student: { rows, columns }, teacher, labels, options }: Call,
  start: Float32Array,
  direction: Float32Array,
  steps: readonly number[],
): Point[] {
  return pointsOf(steps, (x) => {
    const data = start.map((value, index) => value + x * direction[index]!);
    const student = new Matrix(data, rows, columns);
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels, options);
    const slope = gradient.data.reduce((sum, value, index) => sum + value * direction[index]!, 0);
    return { loss, slope };
  });
}

/** Without the places where the loss is not defined. */
function pointsOf(
  places: readonly number[],
  evaluate: (x: number) => { loss: number; slope: number },
): Point[] {
  return places.flatMap((x) => {
    try {
      return [{ ...evaluate(x), x }];
    } catch (error) {
      if (error instanceof DistillationError) return [];
      throw error;
    }
  });
}

/** The first call that the example of a strategy makes to it. */
async function callOf({ className, example }: Strategy): Promise<Call | undefined> {
  const folder = join(pagesFolder, '.examples');
  const file = join(folder, `${className}.ts`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${example}\nexport {};\n`);
  let call: Call | undefined;
  const { prototype } = DistillationStrategyBase<Float32Array>;
  const { computeLossAndGradient } = prototype;
  prototype.computeLossAndGradient = function (student, teacher, labels, options) {
    if (this.name === className) {
      const copied = new Matrix(student.data.slice(), student.rows, student.columns);
      call ??= { strategy: this, student: copied, teacher: teacher as Matrix, labels, options };
    }
    return computeLossAndGradient.call(this, student, teacher, labels, options);
  };
  const { log } = console;
  console.log = () => {};
  try {
    await import(file);
  } finally {
    Object.assign(prototype, { computeLossAndGradient });
    console.log = log;
    rmSync(folder, { recursive: true });
  }
  return call;
}

function draw({ points, title, marks }: Path, field: 'loss' | 'slope'): Promise<string> {
  const rule = (values: object[], channel: 'x' | 'y') => ({
    data: { values },
    mark: { type: 'rule' as const, strokeDash: [4, 4], opacity: 0.5 },
    encoding: { [channel]: { field: 'at', type: 'quantitative' as const } },
  });
  const chart: TopLevelSpec = {
    title: field === 'loss' ? 'Loss' : 'Derivative along the way',
    width: 250,
    height: 170,
    padding: 5,
    data: { values: [...points] },
    layer: [
      rule(
        marks.map((at) => ({ at })),
        'x',
      ),
      rule([{ at: 0 }], 'y'),
      {
        mark: { type: 'line', color: SERIES[field === 'loss' ? 0 : 1]!, strokeWidth: 2.5 },
        encoding: {
          x: { field: 'x', type: 'quantitative', title, axis: { grid: false } },
          y: { field, type: 'quantitative', title: null, axis: { tickCount: 5 } },
        },
      },
    ],
  };
  return drawChart(chart);
}
