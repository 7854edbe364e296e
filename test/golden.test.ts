/// <reference types="vite/types/importMeta.d.ts" />

import { describe, expect, test } from 'vitest';
import * as library from '../src/index.js';
import {
  ContrastiveMemory,
  ContrastiveRepresentationDistillationStrategy,
  type DistillationStrategyBase,
  type FloatArray,
  float32,
  float64,
  type HybridDistillationOptions,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  type Labels,
  LinearProjection,
  type LogNormalizers,
  Matrix,
  type NumericTrait,
  type Parameter,
} from '../src/index.js';
import { describeKernels } from './support/describeKernels.js';
import { exportedStrategies, strategyOf, WITH_KERNELS } from './support/exportedStrategies.js';
import { wrong } from './support/refusal.js';

// Loss and gradient of every strategy against values that PyTorch computed from the published
// formulas, see fixtures/generate.py.

/** Rows of numbers; what JSON lacks, −Infinity and NaN, is written as a string. */
type Rows = (number | string)[][];
type Layers = Record<string, Rows>;

/** What is learned beside the student, by name. */
type Parameters = Record<string, { readonly value: number[][]; readonly gradient: number[][] }>;

/** One call. */
interface Call {
  readonly name: string;
  readonly options: object;
  readonly labels?: number[] | number[][];
  readonly parameters?: Parameters;
  readonly loss: number;
}

/** What is remembered of all samples, before and after the call. */
interface Memory extends Record<'student' | 'teacher', Rows> {
  readonly samples: number[];
  readonly negatives: number[][];
  readonly momentum: number;
  readonly logNormalizers?: LogNormalizers;
  readonly after: Record<'student' | 'teacher', number[][]>;
}

interface Case extends Call {
  readonly memory?: Memory;
  readonly student: Rows;
  readonly teacher: Rows;
  readonly mask?: number[];
  readonly normalizer?: number;
  readonly rowWeights?: number[];
  readonly temperatures?: number[];
  readonly gradient: number[][];
}

interface Entry {
  readonly strategy: string;
  readonly options: object;
  readonly weight: number;
  readonly layer?: string | { student: string; teacher: string };
  readonly entries?: readonly Entry[];
}

interface HybridCase extends Case {
  readonly entries: readonly Entry[];
  readonly components: readonly number[];
}

interface LayerwiseCase extends Call {
  readonly entries: readonly Entry[];
  readonly components: readonly number[];
  readonly studentLayers: Layers;
  readonly teacherLayers: Layers;
  readonly mask?: Record<string, number[]>;
  readonly normalizer?: Record<string, number>;
  readonly gradients: Record<string, number[][]>;
}

const files = import.meta.glob<{ readonly cases: readonly Case[] }>(
  ['./fixtures/*.json', '!./fixtures/{kernels,sparse}.json'],
  { eager: true },
);

/** By what stands before `DistillationStrategy` in the name of the class. */
const fixtures = Object.fromEntries(
  Object.entries(files).map(([path, { cases }]) => [
    path.slice('./fixtures/'.length, -'.json'.length),
    cases,
  ]),
);

const hybridFile = wrong<{
  cases: readonly HybridCase[];
  layerwiseCases: readonly LayerwiseCase[];
}>(files['./fixtures/hybrid.json']);

/**
 * Both sides are double arithmetic, in another order: what they differ by is a few roundings of the
 * largest term.
 */
const RELATIVE = 1e-9;

/**
 * A gradient in float32 is rounded once, and once more for each entry of a hybrid: 6e-8 of an entry
 * each.
 */
const RELATIVE_FLOAT32 = 1e-6;

/** A loss of float32 logits is as good as in float64, except where a kernel computes in float32. */
const LOSS_FLOAT32 = 4e-7;

/**
 * Values below this are compared as if they were this large, that is to 1e-14: what is 0 by the
 * formula comes as a difference of equal terms of order T ≤ 100, and either side may leave a
 * rounding of those. No other value of the fixtures is as small, so that the floor loosens nothing
 * else.
 */
const TINY = 1e-5;

test('every exported strategy has golden values', () => {
  expect(Object.keys(fixtures).map(strategyOf).sort()).toEqual(exportedStrategies());
});

for (const [strategy, cases] of Object.entries(fixtures)) {
  if (strategy === 'hybrid') continue;
  const tests = WITH_KERNELS.includes(strategyOf(strategy)) ? describeKernels : describe;
  tests(`The ${strategy} strategy`, () => {
    for (const golden of cases) {
      test(`matches PyTorch on ${golden.name}, in float64`, () => check(golden, float64));
      test(`matches PyTorch on ${golden.name}, in float32`, () => check(golden, float32));
    }
  });

  function check<T extends FloatArray>(golden: Case, numeric: NumericTrait<T>): void {
    const instance = build(strategy, golden.options, golden.parameters, numeric, golden.memory);
    const contrasts = instance instanceof ContrastiveRepresentationDistillationStrategy;
    const { memory, mask } = golden;
    const batch = [
      buildMatrix(golden.student, numeric),
      buildMatrix(golden.teacher, numeric),
    ] as const;
    if (contrasts && !memory?.logNormalizers) instance.calibrate(...batch, mask);
    compare(golden, instance, numeric);
    compareParameters(instance.parameters(), golden.parameters);
    if (!contrasts || !memory) return;
    instance.remember(...batch, mask);
    for (const side of ['student', 'teacher'] as const) {
      compareMatrix(`memory of the ${side}`, instance.memory[side], memory.after[side]);
    }
  }
}

describeKernels('The hybrid strategy', () => {
  for (const golden of hybridFile.cases) {
    test(`matches PyTorch on ${golden.name}, in float64`, () => check(golden, float64));
    test(`matches PyTorch on ${golden.name}, in float32`, () => check(golden, float32));
  }

  function check<T extends FloatArray>(golden: HybridCase, numeric: NumericTrait<T>): void {
    const strategy = buildHybrid(golden.options, golden.entries, undefined, numeric);
    const components = compare(golden, strategy, numeric);
    compareComponents(components, golden.components, lossTolerance(numeric));
  }
});

describeKernels('The hybrid strategy by layer', () => {
  for (const golden of hybridFile.layerwiseCases) {
    test(`matches PyTorch on ${golden.name}, in float64`, () => check(golden, float64));
    test(`matches PyTorch on ${golden.name}, in float32`, () => check(golden, float32));
  }

  function check<T extends FloatArray>(golden: LayerwiseCase, numeric: NumericTrait<T>): void {
    const strategy = buildHybrid(golden.options, golden.entries, golden.parameters, numeric);
    const { loss, gradients, components } = strategy.computeLayerwise(
      buildLayers(golden.studentLayers, numeric),
      buildLayers(golden.teacherLayers, numeric),
      buildLabels(golden.labels, numeric),
      {
        ...(golden.mask && { mask: golden.mask }),
        ...(golden.normalizer && { normalizer: golden.normalizer }),
      },
    );
    expectClose('loss', loss, golden.loss, lossTolerance(numeric));
    compareComponents(components, golden.components, lossTolerance(numeric));
    expect(Object.keys(gradients).sort()).toEqual(Object.keys(golden.gradients).sort());
    for (const [layer, expected] of Object.entries(golden.gradients)) {
      compareMatrix(`gradient of ${layer}`, gradients[layer]!, expected);
    }
    compareParameters(strategy.parameters(), golden.parameters);
  }
});

function lossTolerance({ dtype }: NumericTrait<FloatArray>): number {
  return dtype === 'float32' ? LOSS_FLOAT32 : RELATIVE;
}

/** Compares loss and gradient, and returns the components of a hybrid. */
function compare<T extends FloatArray>(
  golden: Case,
  strategy: DistillationStrategyBase<T>,
  numeric: NumericTrait<T>,
): readonly { loss: number }[] {
  const {
    loss,
    gradient,
    components = [],
  } = strategy.computeLossAndGradient(
    buildMatrix(golden.student, numeric),
    buildMatrix(golden.teacher, numeric),
    buildLabels(golden.labels, numeric),
    {
      mask: golden.mask,
      normalizer: golden.normalizer,
      rowWeights: golden.rowWeights,
      temperatures: golden.temperatures,
    },
  );
  expectClose('loss', loss, golden.loss, lossTolerance(numeric));
  compareMatrix('gradient', gradient, golden.gradient);
  return components;
}

function compareComponents(
  components: readonly { loss: number }[],
  expected: readonly number[],
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
 * Each row is compared at the scale of its own largest entry: a row of large derivatives hides no
 * other.
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

/** The options as they stand in the file, with what JSON cannot hold put in. */
function build<T extends FloatArray>(
  strategy: string,
  options: object,
  parameters: Parameters | undefined,
  numeric: NumericTrait<T>,
  memory?: Memory,
): DistillationStrategyBase<T> {
  const classes =
    wrong<Record<string, new (options: object) => DistillationStrategyBase<T>>>(library);
  const projection = parameters?.weight && projectionFor(parameters, numeric);
  const teacherProjection =
    parameters?.['teacher weight'] && projectionFor(parameters, numeric, 'teacher');
  const instance = new classes[strategyOf(strategy)]!({
    ...options,
    ...(projection && { projection }),
    ...(parameters?.scale && { numeric }),
    ...(teacherProjection && { teacherProjection }),
    ...(memory && { memory: buildMemory(memory, numeric) }),
  });
  for (const { name, value } of instance.parameters()) {
    value.data.set(parameters![name]!.value.flat());
  }
  return instance;
}

function projectionFor<T extends FloatArray>(
  parameters: Parameters,
  numeric: NumericTrait<T>,
  name?: string,
): LinearProjection<T> {
  const prefix = name === undefined ? '' : `${name} `;
  const { value } = parameters[`${prefix}weight`]!;
  return new LinearProjection(value.length, value[0]!.length, {
    bias: parameters[`${prefix}bias`] !== undefined,
    numeric,
    ...(name !== undefined && { name }),
  });
}

function buildMemory<T extends FloatArray>(
  { student, teacher, samples, negatives, momentum, logNormalizers }: Memory,
  numeric: NumericTrait<T>,
): ContrastiveMemory<T> {
  const memory = ContrastiveMemory.restore({
    columns: student[0]!.length,
    negatives: negatives[0]!.length,
    momentum,
    student: buildMatrix(student, numeric).data,
    teacher: buildMatrix(teacher, numeric).data,
    generator: 0,
    logNormalizers,
  });
  memory.select(samples, negatives.flat());
  return memory;
}

function buildHybrid<T extends FloatArray>(
  options: HybridDistillationOptions,
  entries: readonly Entry[],
  parameters: Parameters | undefined,
  numeric: NumericTrait<T>,
): HybridDistillationStrategy<T> {
  const children = entries.map(({ strategy, options: own, weight, layer, entries: inner }) => {
    const child: IDistillationStrategy<T> = inner
      ? buildHybrid(own, inner, parameters, numeric)
      : build(strategy, own, strategy === 'feature' ? parameters : undefined, numeric);
    return { strategy: child, weight, ...(layer !== undefined && { layer }) };
  });
  return new HybridDistillationStrategy(children, options);
}

function buildMatrix<T extends FloatArray>(rows: Rows, numeric: NumericTrait<T>): Matrix<T> {
  return Matrix.fromRows(
    rows.map((row) => row.map(Number)),
    numeric,
  );
}

function buildLayers<T extends FloatArray>(
  layers: Layers,
  numeric: NumericTrait<T>,
): Record<string, Matrix<T>> {
  const matrices = Object.entries(layers).map(
    ([name, rows]) => [name, buildMatrix(rows, numeric)] as const,
  );
  return Object.fromEntries(matrices);
}

/** Class indices, or label rows. */
function buildLabels<T extends FloatArray>(
  labels: number[] | number[][] | undefined,
  numeric: NumericTrait<T>,
): Labels<T> | undefined {
  if (labels === undefined) return undefined;
  const rows = labels.filter((label) => typeof label !== 'number');
  if (rows.length > 0) return Matrix.fromRows(rows, numeric);
  return Int32Array.from(labels.filter((label) => typeof label === 'number'));
}
