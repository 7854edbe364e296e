import { expect, test } from 'vitest';
import {
  ContrastiveRepresentationDistillationStrategy,
  type FloatArray,
  float32,
  float64,
  type Matrix,
  type NumericTrait,
  type Parameter,
} from '../../src/index.js';
import {
  buildCase,
  buildHybrid,
  buildLabels,
  buildLayers,
  buildMatrix,
  type Case,
  type GoldenFile,
  type LayerwiseCase,
  type Parameters,
} from './goldenCases.js';

/**
 * Both sides compute in float64 but in another order, so that they differ by a few roundings of the
 * largest term.
 */
const RELATIVE = 1e-9;

/**
 * A gradient in float32 is rounded once, and once more for each entry of a hybrid, by 6e-8 of an
 * element.
 */
const RELATIVE_FLOAT32 = 1e-6;

/** A loss of float32 logits is as exact as in float64, unless a kernel computes in float32. */
const LOSS_FLOAT32 = 4e-7;

/**
 * Smaller values are compared as if they had this size, so to 1e-14. A value that is 0 by the
 * formula is a difference of equal terms of order T ≤ 100, and either side may leave their
 * rounding. All other values of the fixtures are larger, so that this floor affects no other
 * comparison.
 */
const TINY = 1e-5;

/** Registers that loss and gradient agree with PyTorch's values of the published formula. */
export function proveGolden(fixture: string, { cases, layerwiseCases = [] }: GoldenFile): void {
  for (const golden of cases) {
    test(`matches PyTorch on ${golden.name}, in float64`, () => check(fixture, golden, float64));
    test(`matches PyTorch on ${golden.name}, in float32`, () => check(fixture, golden, float32));
  }
  for (const golden of layerwiseCases) {
    const name = `matches PyTorch layer by layer on ${golden.name}`;
    test(`${name}, in float64`, () => checkLayerwise(golden, float64));
    test(`${name}, in float32`, () => checkLayerwise(golden, float32));
  }
}

function check<T extends FloatArray>(
  fixture: string,
  golden: Case,
  numeric: NumericTrait<T>,
): void {
  const strategy = buildCase(fixture, golden, numeric);
  const contrasts = strategy instanceof ContrastiveRepresentationDistillationStrategy;
  const { memory, mask } = golden;
  const student = buildMatrix(golden.student, numeric);
  const teacher = buildMatrix(golden.teacher, numeric);
  if (contrasts && !memory?.logNormalizers) strategy.calibrate(student, teacher, mask);
  const {
    loss,
    gradient,
    components = [],
  } = strategy.computeLossAndGradient(student, teacher, buildLabels(golden.labels, numeric), {
    mask,
    normalizer: golden.normalizer,
    rowWeights: golden.rowWeights,
    temperatures: golden.temperatures,
  });
  expectClose('loss', loss, golden.loss, lossTolerance(numeric));
  compareMatrix('gradient', gradient, golden.gradient);
  compareComponents(components, golden.components, lossTolerance(numeric));
  compareParameters(strategy.parameters(), golden.parameters);
  if (!contrasts || !memory) return;
  strategy.remember(student, teacher, mask);
  for (const side of ['student', 'teacher'] as const) {
    compareMatrix(`memory of the ${side}`, strategy.memory[side], memory.after[side]);
  }
}

function checkLayerwise<T extends FloatArray>(
  golden: LayerwiseCase,
  numeric: NumericTrait<T>,
): void {
  const strategy = buildHybrid(golden.options, golden.entries, golden.parameters, numeric);
  const { loss, gradients, components } = strategy.computeLayerwise(
    buildLayers(golden.studentLayers, numeric),
    buildLayers(golden.teacherLayers, numeric),
    buildLabels(golden.labels, numeric),
    { mask: golden.mask, normalizer: golden.normalizer },
  );
  expectClose('loss', loss, golden.loss, lossTolerance(numeric));
  compareComponents(components, golden.components, lossTolerance(numeric));
  expect(Object.keys(gradients).sort()).toEqual(Object.keys(golden.gradients).sort());
  for (const [layer, expected] of Object.entries(golden.gradients)) {
    compareMatrix(`gradient of ${layer}`, gradients[layer]!, expected);
  }
  compareParameters(strategy.parameters(), golden.parameters);
}

function lossTolerance({ dtype }: NumericTrait<FloatArray>): number {
  return dtype === 'float32' ? LOSS_FLOAT32 : RELATIVE;
}

function compareComponents(
  components: readonly { loss: number }[],
  expected: readonly number[] = [],
  tolerance: number,
): void {
  expect(components).toHaveLength(expected.length);
  expected.forEach((loss, index) => {
    expectClose(`component ${index}`, components[index]!.loss, loss, tolerance);
  });
}

function compareParameters<T extends FloatArray>(
  parameters: readonly Parameter<T>[],
  expected: Parameters = {},
): void {
  expect(parameters.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
  for (const { name, gradient } of parameters) {
    compareMatrix(`gradient of the ${name}`, gradient, expected[name]!.gradient);
  }
}

/**
 * Compares each row relative to its own largest element, so that a row of large derivatives hides
 * no other row.
 */
function compareMatrix<T extends FloatArray>(
  what: string,
  received: Matrix<T>,
  expected: readonly number[][],
): void {
  expect([received.rows, received.columns]).toEqual([expected.length, expected[0]!.length]);
  const relative = received.numeric.dtype === 'float32' ? RELATIVE_FLOAT32 : RELATIVE;
  expected.forEach((values, row) => {
    const scale = Math.max(...values.map(Math.abs));
    values.forEach((value, column) => {
      const where = `${what} in row ${row}, column ${column}`;
      expectClose(where, received.get(row, column), value, relative, scale);
    });
  });
}

function expectClose(
  what: string,
  received: number,
  expected: number,
  relative: number,
  scale: number = Math.abs(expected),
): void {
  const bound = relative * Math.max(scale, TINY);
  const error = Math.abs(received - expected);
  expect(error, `${what} is ${received}, PyTorch says ${expected}`).toBeLessThanOrEqual(bound);
}
