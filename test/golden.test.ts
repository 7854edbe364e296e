import { describe, expect, test } from 'vitest';
import {
  AttentionDistillationStrategy,
  AttentionTransferDistillationStrategy,
  type DistillationStrategyBase,
  FeatureDistillationStrategy,
  type FloatArray,
  float32,
  float64,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  type Labels,
  LinearProjection,
  Matrix,
  type NumericTrait,
  ResponseDistillationStrategy,
  type StrategyOptions,
} from '../src/index.js';
import { describeKernels } from './describeKernels.js';
import attention from './fixtures/attention.json' with { type: 'json' };
import attentionTransfer from './fixtures/attentionTransfer.json' with { type: 'json' };
import feature from './fixtures/feature.json' with { type: 'json' };
import hybrid from './fixtures/hybrid.json' with { type: 'json' };
import response from './fixtures/response.json' with { type: 'json' };

// Loss and gradient of every strategy against values that PyTorch computed from the published formulas, see
// fixtures/generate.py. The types below are what TypeScript reads out of the JSON files, as far as it is used.

/** Rows of numbers; what JSON lacks, −Infinity and NaN, is written as a string. */
type Rows = (number | string)[][];
type Layers = Record<string, Rows | undefined>;

interface Options {
  readonly temperature?: number | undefined;
  readonly alpha?: number | undefined;
  readonly temperatureSquared?: boolean | undefined;
  readonly match?: string | undefined;
  readonly input?: string | undefined;
  readonly channels?: number | { student: number; teacher: number } | undefined;
  readonly power?: number | undefined;
  readonly metric?: string | undefined;
  readonly delta?: number | undefined;
  readonly weights?: string | undefined;
}

interface Projection {
  readonly weight?: { readonly value: number[][]; readonly gradient: number[][] } | undefined;
  readonly bias?: { readonly value: number[][]; readonly gradient: number[][] } | undefined;
}

interface Case {
  readonly name: string;
  readonly student: Rows;
  readonly teacher: Rows;
  readonly labels?: number[] | number[][] | undefined;
  readonly mask?: number[] | undefined;
  readonly normalizer?: number | undefined;
  readonly loss: number;
  readonly gradient: number[][];
}

interface StrategyCase extends Case {
  readonly options: Options;
  readonly projection?: Projection | undefined;
}

interface Entry {
  readonly strategy: string;
  readonly options: Options;
  readonly weight: number;
  readonly layer?: string | { student: string; teacher: string } | undefined;
  readonly entries?: readonly Entry[] | undefined;
}

/** Both sides are double arithmetic, in another order: what they differ by is a few roundings of the largest term. */
const RELATIVE = 1e-9;

/** A gradient in float32 is rounded once, and once more for each entry of a hybrid: 6e-8 of an entry each. */
const RELATIVE_FLOAT32 = 1e-6;

/** A loss of float32 logits is as good as in float64, except where a kernel computes in float32. */
const LOSS_FLOAT32 = 4e-7;

/**
 * Values below this are compared as if they were this large, that is to 1e-14: what is 0 by the formula comes as a
 * difference of equal terms of order T ≤ 100, and either side may leave a rounding of those. No other value of the
 * fixtures is as small, so that the floor loosens nothing else.
 */
const TINY = 1e-5;

suite('response', response.cases, describeKernels);
suite('attention', attention.cases);
suite('attentionTransfer', attentionTransfer.cases);
suite('feature', feature.cases);

function suite(
  strategy: string,
  cases: readonly StrategyCase[],
  tests: (name: string, define: () => void) => void = describe,
): void {
  tests(`The ${strategy} strategy`, () => {
    for (const golden of cases) {
      test(`matches PyTorch on ${golden.name}, in float64`, () => check(golden, float64));
      test(`matches PyTorch on ${golden.name}, in float32`, () => check(golden, float32));
    }
  });

  function check<T extends FloatArray>(golden: StrategyCase, numeric: NumericTrait<T>): void {
    const projection = buildProjection(golden.projection, numeric);
    compare(golden, build(strategy, golden.options, projection), numeric);
    if (projection) compareParameters(projection, golden.projection);
  }
}

describeKernels('The hybrid strategy', () => {
  for (const golden of hybrid.cases) {
    test(`matches PyTorch on ${golden.name}, in float64`, () => check(golden, float64));
    test(`matches PyTorch on ${golden.name}, in float32`, () => check(golden, float32));
  }

  function check<T extends FloatArray>(
    golden: (typeof hybrid.cases)[number],
    numeric: NumericTrait<T>,
  ): void {
    const strategy = buildHybrid<T>(golden.options, golden.entries);
    const components = compare(golden, strategy, numeric);
    compareComponents(components, golden.components, lossTolerance(numeric));
  }
});

describeKernels('The hybrid strategy by layer', () => {
  for (const golden of hybrid.layerwiseCases) {
    test(`matches PyTorch on ${golden.name}, in float64`, () => check(golden, float64));
    test(`matches PyTorch on ${golden.name}, in float32`, () => check(golden, float32));
  }

  function check<T extends FloatArray>(
    golden: (typeof hybrid.layerwiseCases)[number],
    numeric: NumericTrait<T>,
  ): void {
    const projection = buildProjection(golden.projection, numeric);
    const strategy = buildHybrid(golden.options, golden.entries, projection);
    const { loss, gradients, components } = strategy.computeLayerwise(
      buildLayers(golden.studentLayers, numeric),
      buildLayers(golden.teacherLayers, numeric),
      buildLabels(golden.labels, numeric),
      {
        ...('mask' in golden && golden.mask && { mask: golden.mask }),
        ...('normalizer' in golden && golden.normalizer && { normalizer: golden.normalizer }),
      },
    );
    expectClose('loss', loss, golden.loss, lossTolerance(numeric));
    compareComponents(components, golden.components, lossTolerance(numeric));
    expect(Object.keys(gradients).sort()).toEqual(Object.keys(golden.gradients).sort());
    for (const [layer, expected] of Object.entries(golden.gradients)) {
      compareMatrix(`gradient of ${layer}`, gradients[layer]!, expected);
    }
    if (projection) compareParameters(projection, golden.projection);
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
      ...(golden.mask && { mask: golden.mask }),
      ...(golden.normalizer !== undefined && { normalizer: golden.normalizer }),
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
  projection: LinearProjection<T>,
  expected: Projection | undefined,
): void {
  for (const { name, gradient } of projection.parameters()) {
    const golden = name === 'bias' ? expected?.bias : expected?.weight;
    compareMatrix(`gradient of the ${name}`, gradient, golden!.gradient);
  }
}

/** Each row is compared at the scale of its own largest entry: a row of large derivatives hides no other. */
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

function build<T extends FloatArray>(
  strategy: string,
  options: Options,
  projection?: LinearProjection<T>,
): DistillationStrategyBase<T> {
  const { temperatureSquared, channels, power, delta } = options;
  switch (strategy) {
    case 'response':
      return new ResponseDistillationStrategy<T>({
        ...blendOf(options),
        ...(temperatureSquared !== undefined && { temperatureSquared }),
      });
    case 'attention':
      return new AttentionDistillationStrategy<T>({
        match: oneOf(['mse', 'kl', 'cosine'], options.match),
        input: oneOf(['probabilities', 'scores'], options.input),
      });
    case 'attentionTransfer':
      return new AttentionTransferDistillationStrategy<T>({ channels: channels!, power: power! });
    case 'feature':
      return new FeatureDistillationStrategy<T>({
        metric: oneOf(['mse', 'l1', 'huber', 'cosine'], options.metric),
        ...(delta !== undefined && { delta }),
        ...(projection && { projection }),
      });
    default:
      throw new Error(`no strategy is called ${strategy}`);
  }
}

function buildHybrid<T extends FloatArray>(
  options: Options,
  entries: readonly Entry[],
  projection?: LinearProjection<T>,
): HybridDistillationStrategy<T> {
  const weights = oneOf(['sum-to-one', 'normalize', 'free'], options.weights);
  const children = entries.map(({ strategy, options: own, weight, layer, entries: inner }) => {
    const child: IDistillationStrategy<T> = inner
      ? buildHybrid(own, inner, projection)
      : build(strategy, own, projection);
    return { strategy: child, weight, ...(layer !== undefined && { layer }) };
  });
  return new HybridDistillationStrategy(children, { ...blendOf(options), weights });
}

/** Temperature and alpha, as far as they are set. */
function blendOf({ temperature, alpha }: Options): StrategyOptions {
  return {
    ...(temperature !== undefined && { temperature }),
    ...(alpha !== undefined && { alpha }),
  };
}

function buildProjection<T extends FloatArray>(
  projection: Projection | undefined,
  numeric: NumericTrait<T>,
): LinearProjection<T> | undefined {
  if (!projection?.weight) return undefined;
  const { weight, bias } = projection;
  const [inputs, outputs] = [weight.value.length, weight.value[0]!.length];
  const result = new LinearProjection(inputs, outputs, { bias: bias !== undefined, numeric });
  const [weightParameter, biasParameter] = result.parameters();
  weightParameter!.value.data.set(weight.value.flat());
  if (bias) biasParameter!.value.data.set(bias.value.flat());
  return result;
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
  const present = Object.entries(layers).flatMap(([name, rows]) =>
    rows ? [[name, buildMatrix(rows, numeric)] as const] : [],
  );
  return Object.fromEntries(present);
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

/** A string of the JSON file as one of the values that an option takes. */
function oneOf<const V extends string>(values: readonly V[], value: string | undefined): V {
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) throw new Error(`${value} is none of ${values.join(', ')}`);
  return found;
}
