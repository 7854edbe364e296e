import { expect, test } from 'vitest';
import {
  CrossEntropyDistillationStrategy,
  float64,
  HybridDistillationStrategy,
  type LossAndGradient,
  Matrix,
  ResponseDistillationStrategy,
} from '../src/index.js';
import { softmax } from '../src/kernels/rows/softmax.js';
import published from './fixtures/functions/published.json' with { type: 'json' };

// Recipes of this library for the losses of MiniLLM, DINO, distil-whisper, sentence-transformers
// and CWD. Value and gradient are compared with the authors' formulas in PyTorch, to 1e-9.

type Doubles = Matrix<Float64Array>;
type Result = LossAndGradient<Float64Array>;

interface Case {
  readonly name: string;
  readonly student: number[][];
  readonly teacher: number[][];
  readonly labels?: number[];
  readonly tokens?: number[];
  readonly center?: number[];
  readonly samples?: number;
  readonly channels?: number;
  readonly loss: number;
  readonly gradient: number[][];
}

/** Returns log softmax of a row at a column. */
function logProbability(logits: Doubles, row: number, column: number): number {
  const log = new Float64Array(logits.columns);
  softmax(Float64Array.from(logits.row(row)), 0, logits.columns, log, new Float64Array(log.length));
  return log[column]!;
}

/**
 * Mean over rows of −Σ p log p, p = softmax(logits / T): the difference of a cross-entropy with
 * soft targets and the divergence.
 */
function entropy(logits: Doubles, temperature: number): number {
  const { columns, rows } = logits;
  const [log, p] = [new Float64Array(columns), new Float64Array(columns)];
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const x = Float64Array.from(logits.row(row), (z) => z / temperature);
    softmax(x, 0, columns, log, p);
    for (let j = 0; j < columns; j++) if (p[j]! > 0) sum -= (p[j]! * log[j]!) / rows;
  }
  return sum;
}

const RECIPES: Record<string, (student: Doubles, teacher: Doubles, given: Case) => Result> = {
  MiniLLM(student, teacher, { tokens = [] }) {
    const rowWeights = tokens.map(
      (y, row) => logProbability(teacher, row, y) - logProbability(student, row, y),
    );
    const labels = Int32Array.from(tokens);
    const strategy = new CrossEntropyDistillationStrategy<Float64Array>();
    return strategy.computeLossAndGradient(student, undefined, labels, { rowWeights });
  },
  DINO(student, teacher, { center = [] }) {
    const centered = Matrix.fromRows(
      teacher.toRows().map((row) => row.map((value, j) => value - center[j]!)),
      float64,
    );
    const strategy = new ResponseDistillationStrategy<Float64Array>({
      temperature: 0.1,
      teacherTemperature: 0.04,
      temperatureSquared: false,
    });
    const result = strategy.computeLossAndGradient(student, centered);
    return { ...result, loss: result.loss + entropy(centered, 0.04) };
  },
  'distil-whisper'(student, teacher, { labels = [] }) {
    const strategy = new HybridDistillationStrategy<Float64Array>(
      [
        { strategy: new CrossEntropyDistillationStrategy(), weight: 0.8 },
        { strategy: new ResponseDistillationStrategy({ temperature: 2, alpha: 0 }), weight: 1 },
      ],
      { weights: 'free' },
    );
    return strategy.computeLossAndGradient(student, teacher, Int32Array.from(labels));
  },
  DistillKLDivLoss(student, teacher) {
    const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 2 });
    return strategy.computeLossAndGradient(student, teacher);
  },
  CWD(student, teacher, { samples = 0, channels = 0 }) {
    const byChannel = ({ data }: Doubles) =>
      new Matrix(data, samples * channels, data.length / samples / channels);
    const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 4 });
    return strategy.computeLossAndGradient(byChannel(student), byChannel(teacher));
  },
};

const cases: readonly Case[] = published.cases;

test.each(cases)('$name to 1e-9', (given) => {
  const student = Matrix.fromRows(given.student, float64);
  const teacher = Matrix.fromRows(given.teacher, float64);
  const { loss, gradient } = RECIPES[given.name]!(student, teacher, given);
  expect(Math.abs(loss - given.loss)).toBeLessThan(1e-9);
  const expected = given.gradient.flat();
  expect(gradient.data).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(gradient.data[i]! - value)).toBeLessThan(1e-9);
  }
});

test('every recipe has a case', () => {
  expect(cases.map(({ name }) => name).sort()).toEqual(Object.keys(RECIPES).sort());
});
