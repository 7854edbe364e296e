import type { ComponentLoss, TeacherOutput } from '../call/batch.js';
import { checkRepresentable } from '../call/gradient.js';
import type { IDistillationStrategy } from '../call/options.js';
import { sharesBase } from '../call/sharesBase.js';
import { checkSameShape } from '../core/checks.js';
import { checkOptions, throwType } from '../core/errors.js';
import type { Labels } from '../core/labels.js';
import type { Matrix } from '../core/matrix.js';
import { typeTag } from '../core/numeric.js';
import { lossAndGradient } from '../strategies/hybrid/bare.js';
import type { HybridDistillationStrategy } from '../strategies/hybrid/hybrid.js';
import type { ReadPair } from '../strategies/hybrid/layers.js';
import type { Inputs } from './inputs.js';
import { isTensor, type Tensor } from './tensor.js';

/** One for each layer, by its name. */
export type ByLayer<V> = Readonly<Record<string, V>>;

/**
 * A tensor, or what the library takes itself: a matrix, or `SparseTargets` where the strategy takes
 * them.
 */
export type TeacherTensor<T extends Tensor> = T | TeacherOutput;

/**
 * Class indices as an int32 tensor or an `Int32Array`, distributions as a tensor in the shape of an
 * output or a matrix.
 */
export type LabelTensor<T extends Tensor> = T | Labels;

/** One number a row. */
export type RowsTensor<T extends Tensor> = T | ArrayLike<number>;

/** Options of one call. */
export interface LossOptions<T extends Tensor> {
  /** 0 takes the row out. */
  readonly mask?: RowsTensor<T> | undefined;
  /** What the loss of each row counts; losses that are no sum over rows refuse it. */
  readonly rowWeights?: RowsTensor<T> | undefined;
  /** The temperature of each row, for response losses. */
  readonly temperatures?: RowsTensor<T> | undefined;
  /** The denominator of the mean, instead of the number of rows kept. */
  readonly normalizer?: number | undefined;
  /** Written with the loss of each row, neither weighted nor divided. */
  readonly rowLosses?: Float64Array | undefined;
}

/**
 * The same where outputs are given by layer: for all layers, or for each student layer that needs
 * it.
 */
export interface LayerwiseLossOptions<T extends Tensor> {
  readonly mask?: RowsTensor<T> | ByLayer<RowsTensor<T>> | undefined;
  readonly rowWeights?: RowsTensor<T> | ByLayer<RowsTensor<T>> | undefined;
  readonly temperatures?: RowsTensor<T> | ByLayer<RowsTensor<T>> | undefined;
  readonly normalizer?: number | ByLayer<number> | undefined;
  readonly rowLosses?: Float64Array | ByLayer<Float64Array> | undefined;
}

/** @inline The arguments of a loss. */
export type Call<T extends Tensor> = readonly [
  student: T,
  teacher: TeacherTensor<T>,
  labels?: LabelTensor<T>,
  options?: LossOptions<T>,
];

/** @inline The arguments of a loss of several layers. */
export type LayerwiseCall<T extends Tensor> = readonly [
  student: ByLayer<T>,
  teacher: ByLayer<TeacherTensor<T>>,
  labels?: LabelTensor<T>,
  options?: LayerwiseLossOptions<T>,
];

/** @inline The arguments after the student. */
export type Rest<C extends readonly unknown[]> = C extends readonly [unknown, ...infer R]
  ? R
  : never;

export interface Evaluation {
  readonly loss: number;
  /** d loss / d output, by layer of the student. */
  readonly gradients: ByLayer<Matrix>;
  readonly components?: readonly ComponentLoss[];
}

/** The outputs of a student by layer; a single one is `output`. */
export function byLayer<T extends Tensor>(operation: string, outputs: T | ByLayer<T>): ByLayer<T> {
  if (isTensor(outputs)) return { output: outputs as T };
  if (typeTag(outputs) === 'Object') return outputs;
  throwType(operation, 'student', 'be a tensor or tensors by layer', outputs);
}

/** The options that hold a number for each row, which may be tensors. */
const ROW_INPUTS = ['mask', 'rowWeights', 'temperatures'] as const;

/**
 * Adds the tensors of a call to the inputs; the function that it returns evaluates the strategy on
 * what was read.
 */
export function evaluation<T extends Tensor>(
  operation: string,
  strategy: IDistillationStrategy,
  call: Call<T> | LayerwiseCall<T>,
  inputs: Inputs<T>,
): () => Evaluation {
  const [, , , options = {}] = call;
  checkOptions(operation, 'options', options, [...ROW_INPUTS, 'normalizer', 'rowLosses']);
  return isLayerwise(call)
    ? ofLayers(operation, strategy, call, inputs)
    : ofOutput(strategy, call, inputs);
}

function isLayerwise<T extends Tensor>(call: Call<T> | LayerwiseCall<T>): call is LayerwiseCall<T> {
  return !isTensor(call[0]);
}

function ofOutput<T extends Tensor>(
  strategy: IDistillationStrategy,
  [student, teacher, labels, options = {}]: Call<T>,
  inputs: Inputs<T>,
): () => Evaluation {
  const read = {
    student: inputs.output('student', student),
    teacher: inputs.teacher('teacher', teacher, [student]),
    labels: inputs.labels(labels, [student]),
    options: optionsOf(options, (name, value) =>
      inputs.rowInput(`options.${name}`, value, [student]),
    ),
  };
  return () => {
    const target = read.teacher() as Matrix; // or what the strategy says that it takes
    const output = read.student();
    const asked = [output, target, read.labels(), read.options()] as const;
    if (sharesBase(strategy)) {
      const { gradient, ...result } = strategy.computeLossAndGradient(...asked);
      return { ...result, gradients: { output: gradient } };
    }
    const { operation } = inputs;
    const { loss, gradient } = lossAndGradient(operation, strategy, asked);
    checkSameShape(operation, 'gradient', gradient, output);
    gradient.data.forEach((value, i) => {
      const { columns, numeric } = gradient;
      const row = Math.floor(i / columns);
      checkRepresentable(operation, 'gradient', value, numeric.largest, row, i % columns);
    });
    return { loss, gradients: { output: gradient } };
  };
}

function ofLayers<T extends Tensor>(
  operation: string,
  strategy: IDistillationStrategy,
  [student, teacher, labels, options = {}]: LayerwiseCall<T>,
  inputs: Inputs<T>,
): () => Evaluation {
  if (!isHybrid(strategy)) {
    const hint = 'tensors by layer are for a HybridDistillationStrategy';
    throwType(operation, 'student', 'be a tensor', student, hint);
  }
  const layers = byLayer(operation, student);
  if (typeTag(teacher) !== 'Object' || isTensor(teacher)) {
    throwType(operation, 'teacher', 'be tensors by layer, as the student is', teacher);
  }
  const pairs = strategy.layerPairs();
  const outputs = thoseOf(
    layers,
    pairs.map((pair) => pair.student),
  );
  const targets = thoseOf(
    teacher,
    pairs.map((pair) => pair.teacher),
  );
  const readersOf = (name: string) => pairs.filter((pair) => pair.teacher === name);
  const labelled = pairs.filter((pair) => pair.labels !== 'ignores');
  const read = {
    student: eachOf(outputs, (name, tensor) => inputs.output(`student.${name}`, tensor)),
    teacher: eachOf(targets, (name, target) =>
      inputs.teacher(`teacher.${name}`, target, studentsOf(readersOf(name), outputs)),
    ),
    labels: inputs.labels(labels, studentsOf(labelled, outputs)),
    options: optionsOf(options, (name, value) => rowInputOf(name, value, inputs, outputs)),
  };
  return () =>
    strategy.computeLayerwise(read.student(), read.teacher(), read.labels(), read.options());
}

/** By structure, so that a loss of one output needs no hybrid in its bundle. */
export function isHybrid(strategy: IDistillationStrategy): strategy is HybridDistillationStrategy {
  return 'computeLayerwise' in strategy;
}

/**
 * The options of a call, its tensors read by `read` once they are there; options that are left out
 * stay so.
 */
function optionsOf<O extends LayerwiseLossOptions<Tensor>, V>(
  options: O,
  read: (name: string, value: NonNullable<O[(typeof ROW_INPUTS)[number]]>) => () => V,
): () => Partial<Record<(typeof ROW_INPUTS)[number], V>> & Pick<O, 'normalizer' | 'rowLosses'> {
  const { normalizer, rowLosses } = options;
  const reads = ROW_INPUTS.flatMap((name) => {
    const value = options[name];
    return value === undefined ? [] : [[name, read(name, value)] as const];
  });
  return () => ({
    ...Object.fromEntries(reads.map(([name, one]) => [name, one()])),
    ...(normalizer !== undefined && { normalizer }),
    ...(rowLosses !== undefined && { rowLosses }),
  });
}

function rowInputOf<T extends Tensor>(
  option: string,
  value: RowsTensor<T> | ByLayer<RowsTensor<T>>,
  inputs: Inputs<T>,
  outputs: ByLayer<T>,
): () => ArrayLike<number> | Record<string, ArrayLike<number>> {
  const argument = `options.${option}`;
  return isForAllLayers(value)
    ? inputs.rowInput(argument, value, Object.values(outputs))
    : eachOf(value, (name, one) => {
        const layer = outputs[name];
        return inputs.rowInput(`${argument}.${name}`, one, layer ? [layer] : []);
      });
}

/** Whether an option is for all layers, and not one for each by name. */
export function isForAllLayers<T extends Tensor>(
  value: RowsTensor<T> | ByLayer<RowsTensor<T>>,
): value is RowsTensor<T> {
  return isTensor(value) || Object(value) !== value || 'length' in value;
}

/** The student's layers of the pairs, as far as they are there. */
function studentsOf<V>(pairs: readonly ReadPair[], outputs: ByLayer<V>): V[] {
  return pairs
    .filter(({ student }) => Object.hasOwn(outputs, student))
    .map(({ student }) => outputs[student]!);
}

/**
 * The layers that are read, and no others; where one is missing, all, so that the strategy can say
 * which there are.
 */
function thoseOf<V>(layers: ByLayer<V>, names: readonly string[]): ByLayer<V> {
  if (!names.every((name) => Object.hasOwn(layers, name))) return layers;
  return Object.fromEntries(names.map((name) => [name, layers[name]!]));
}

function eachOf<V, R>(
  layers: ByLayer<V>,
  add: (name: string, value: V) => () => R,
): () => Record<string, R> {
  const added = Object.entries(layers).map(([name, value]) => [name, add(name, value)] as const);
  return () => Object.fromEntries(added.map(([name, read]) => [name, read()]));
}
