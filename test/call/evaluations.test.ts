import { expect, test } from 'vitest';
import {
  type DistillationBatch,
  DistillationStrategyBase,
  type GradientSink,
  HybridDistillationStrategy,
  Matrix,
  meanOverRows,
} from '../../src/index.js';

// A call evaluates its loss once: it does not try the evaluation first to find out whether it
// fails.

/** Σ (s − t), mean over rows; counts its evaluations. */
class Counted extends DistillationStrategyBase {
  evaluations = 0;

  protected override evaluate(batch: DistillationBatch, gradient?: GradientSink): number {
    this.evaluations++;
    const { student, teacher } = batch;
    return meanOverRows(batch, gradient, (s, t, derivative) => {
      derivative?.fill(1);
      let loss = 0;
      for (let j = 0; j < student.columns; j++) loss += student.data[s + j]! - teacher.data[t + j]!;
      return loss;
    });
  }
}

const student = Matrix.fromRows([
  [1, 2],
  [3, 4],
]);
const teacher = Matrix.zeros(2, 2);
const layers = [{ output: student }, { output: teacher }] as const;
const gradient = () => student.clone();

type Strategy = Counted | HybridDistillationStrategy;
const CALLS: Record<string, (strategy: Strategy) => unknown> = {
  'the loss alone': (strategy) => strategy.computeLoss(student, teacher),
  'the gradient alone': (strategy) => strategy.computeGradient(student, teacher),
  both: (strategy) => strategy.computeLossAndGradient(student, teacher),
  'a gradient to overwrite': (strategy) =>
    strategy.computeGradient(student, teacher, undefined, { gradient: gradient() }),
  'a gradient to add to': (strategy) =>
    strategy.computeGradient(student, teacher, undefined, {
      gradient: gradient(),
      accumulate: true,
    }),
};

test.each(Object.entries(CALLS))('%s evaluates once per call', (_, call) => {
  const alone = new Counted();
  call(alone);
  expect(alone.evaluations).toBe(1);
  const part = new Counted();
  call(new HybridDistillationStrategy([{ strategy: part, weight: 1 }]));
  expect(part.evaluations).toBe(1);
});

test.each([
  {},
  { gradients: { output: gradient() } },
  { gradients: { output: gradient() }, accumulate: true },
])('a layer-by-layer call evaluates each entry once: %j', (options) => {
  const strategy = new Counted();
  const inner = new HybridDistillationStrategy([{ strategy, weight: 1 }]);
  const hybrid = new HybridDistillationStrategy([
    { strategy, weight: 0.5 },
    { strategy: inner, weight: 0.5 },
  ]);
  hybrid.computeLayerwise(...layers, undefined, options);
  expect(strategy.evaluations).toBe(2);
});
