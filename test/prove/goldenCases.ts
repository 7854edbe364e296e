/// <reference types="vite/types/importMeta.d.ts" />

import * as library from '../../src/index.js';
import {
  ContrastiveMemory,
  type DistillationStrategyBase,
  type FloatArray,
  type HybridDistillationOptions,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  type Labels,
  LinearProjection,
  type LogNormalizers,
  Matrix,
  type NumericTrait,
} from '../../src/index.js';
import { strategyOf } from '../support/exportedStrategies.js';
import { wrong } from '../support/refusal.js';

// Golden values, which PyTorch computed from the published formulas (see fixtures/generate.py), and
// the calls of the library to which they belong.

/** Rows of numbers. −Infinity and NaN, which JSON lacks, are strings. */
export type Rows = (number | string)[][];
export type Layers = Record<string, Rows>;

/** The learned parameters, by name. */
export type Parameters = Record<
  string,
  { readonly value: number[][]; readonly gradient: number[][] }
>;

/** One call. */
interface GoldenCall {
  readonly name: string;
  readonly options: object;
  readonly labels?: number[] | number[][];
  readonly parameters?: Parameters;
  readonly loss: number;
}

/** The memory of all samples, before and after the call. */
interface Memory extends Record<'student' | 'teacher', Rows> {
  readonly samples: number[];
  readonly negatives: number[][];
  readonly momentum: number;
  readonly logNormalizers?: LogNormalizers;
  readonly after: Record<'student' | 'teacher', number[][]>;
}

export interface Case extends GoldenCall {
  readonly memory?: Memory;
  readonly student: Rows;
  readonly teacher: Rows;
  readonly mask?: number[];
  readonly normalizer?: number;
  readonly rowWeights?: number[];
  readonly temperatures?: number[];
  readonly gradient: number[][];
  /** The entries of a hybrid, and the loss of each. */
  readonly entries?: readonly Entry[];
  readonly components?: readonly number[];
}

interface Entry {
  readonly strategy: string;
  readonly options: object;
  readonly weight: number;
  readonly layer?: string | { student: string; teacher: string };
  readonly entries?: readonly Entry[];
}

export interface LayerwiseCase extends GoldenCall {
  readonly entries: readonly Entry[];
  readonly components: readonly number[];
  readonly studentLayers: Layers;
  readonly teacherLayers: Layers;
  readonly mask?: Record<string, number[]>;
  readonly normalizer?: Record<string, number>;
  readonly gradients: Record<string, number[][]>;
}

/** A file of golden values. */
export interface GoldenFile {
  readonly cases: readonly Case[];
  readonly layerwiseCases?: readonly LayerwiseCase[];
}

const loaders = import.meta.glob<GoldenFile>([
  '../fixtures/*.json',
  '!../fixtures/{kernels,sparse}.json',
]);

/** The golden values of a strategy. */
export async function goldenFile(fixture: string): Promise<GoldenFile> {
  const load = loaders[`../fixtures/${fixture}.json`];
  if (!load) {
    throw new Error(`test/fixtures/${fixture}.json is missing: add the formula to test/fixtures`);
  }
  return load();
}

/** All golden values, by fixture. */
export async function goldenFiles(): Promise<Record<string, GoldenFile>> {
  const fixtures = Object.keys(loaders).map((path) =>
    path.slice('../fixtures/'.length, -'.json'.length),
  );
  const files = fixtures.map(async (fixture) => [fixture, await goldenFile(fixture)] as const);
  return Object.fromEntries(await Promise.all(files));
}

/** Returns the strategy of a golden case. */
export function buildCase<T extends FloatArray>(
  fixture: string,
  { options, entries, parameters, memory }: Case,
  numeric: NumericTrait<T>,
): DistillationStrategyBase<T> {
  if (entries) return buildHybrid(options, entries, undefined, numeric);
  return build(fixture, options, parameters, numeric, memory);
}

/** Returns the options of the file, with the values that JSON cannot hold. */
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

export function buildHybrid<T extends FloatArray>(
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

export function buildMatrix<T extends FloatArray>(rows: Rows, numeric: NumericTrait<T>): Matrix<T> {
  return Matrix.fromRows(
    rows.map((row) => row.map(Number)),
    numeric,
  );
}

export function buildLayers<T extends FloatArray>(
  layers: Layers,
  numeric: NumericTrait<T>,
): Record<string, Matrix<T>> {
  const matrices = Object.entries(layers).map(
    ([name, rows]) => [name, buildMatrix(rows, numeric)] as const,
  );
  return Object.fromEntries(matrices);
}

/** Class indices, or label rows. */
export function buildLabels<T extends FloatArray>(
  labels: readonly (number | number[])[] | undefined,
  numeric: NumericTrait<T>,
): Labels<T> | undefined {
  if (labels === undefined) return undefined;
  const rows = labels.filter((label) => typeof label !== 'number');
  if (rows.length > 0) return Matrix.fromRows(rows, numeric);
  return Int32Array.from(labels.filter((label) => typeof label === 'number'));
}
