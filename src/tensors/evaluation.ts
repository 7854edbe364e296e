import type { ComponentLoss, TeacherOutput } from '../call/batch.js';
import { checkRepresentable } from '../call/gradient.js';
import type { IDistillationStrategy } from '../call/options.js';
import { sharesBase } from '../call/sharesBase.js';
import { checkSameShape } from '../core/checks.js';
import { checkOptions, refuse, throwType } from '../core/errors.js';
import type { Labels } from '../core/labels.js';
import type { Matrix } from '../core/matrix.js';
import { typeTag } from '../core/numeric.js';
import { lossAndGradient } from '../strategies/hybrid/bare.js';
import type { ReadPair } from '../strategies/hybrid/layers.js';
import { isHybrid, readsLayers } from '../strategies/hybrid/nested.js';
import type { Inputs } from './inputs.js';
import { arrayHint, isTensor, type Tensor } from './tensor.js';

/** One value for each layer, by the name of the layer. */
export type ByLayer<V> = Readonly<Record<string, V>>;

/**
 * The teacher: a tensor, a matrix, or `SparseTargets` if the strategy takes them.
 */
export type TeacherTensor<T extends Tensor> = T | TeacherOutput;

/**
 * Labels: class indices as an int32 tensor or an `Int32Array`; or distributions as a matrix, or as
 * a tensor in the shape of an output.
 */
export type LabelTensor<T extends Tensor> = T | Labels;

/** One number for each row. */
export type RowsTensor<T extends Tensor> = T | ArrayLike<number>;

/** Options of a call. */
export interface LossOptions<T extends Tensor> {
  /** One number for each row: 0 excludes the row. */
  readonly mask?: RowsTensor<T> | undefined;
  /** The weight of the loss of each row. Losses that are not sums over rows refuse it. */
  readonly rowWeights?: RowsTensor<T> | undefined;
  /** The temperature of each row, for response losses only. */
  readonly temperatures?: RowsTensor<T> | undefined;
  /** The denominator of the mean, instead of the number of kept rows. */
  readonly normalizer?: number | undefined;
  /** An array to which the loss of each row is written, neither weighted nor divided. */
  readonly rowLosses?: Float64Array | undefined;
}

/**
 * Options of a call with outputs by layer. An option is one value for all layers, or an object with
 * a value for each student layer that needs it.
 */
export interface LayerwiseLossOptions<T extends Tensor> {
  readonly mask?: RowsTensor<T> | ByLayer<RowsTensor<T>> | undefined;
  readonly rowWeights?: RowsTensor<T> | ByLayer<RowsTensor<T>> | undefined;
  readonly temperatures?: RowsTensor<T> | ByLayer<RowsTensor<T>> | undefined;
  readonly normalizer?: number | ByLayer<number> | undefined;
  readonly rowLosses?: Float64Array | ByLayer<Float64Array> | undefined;
}

/** @inline The arguments of a loss of one output. */
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

/** Result of evaluating a strategy on tensors. */
export interface Evaluation {
  readonly loss: number;
  /** d loss / d output, by layer of the student. */
  readonly gradients: ByLayer<Matrix>;
  readonly components?: readonly ComponentLoss[] | undefined;
}

/** Returns the outputs of a student by layer; the name of a single output is `output`. */
export function byLayer<T extends Tensor>(operation: string, outputs: T | ByLayer<T>): ByLayer<T> {
  if (isTensor(outputs)) return { output: outputs as T };
  if (typeTag(outputs) === 'Object') return outputs;
  throwType(operation, 'student', 'be a tensor or tensors by layer', outputs);
}

/** The options that hold one number for each row, and may be tensors. */
const ROW_INPUTS = ['mask', 'rowWeights', 'temperatures'] as const;

/**
 * Adds the tensors of a call to the inputs. Returns a function that evaluates the strategy; call it
 * once the inputs are read.
 */
export function prepareEvaluation<T extends Tensor>(
  operation: string,
  strategy: IDistillationStrategy,
  call: Call<T> | LayerwiseCall<T>,
  inputs: Inputs<T>,
): () => Evaluation {
  const [, , , options = {}] = call;
  checkOptions(operation, 'options', options, [...ROW_INPUTS, 'normalizer', 'rowLosses']);
  return isLayerwise(call)
    ? prepareLayers(operation, strategy, call, inputs)
    : prepareOutput(operation, strategy, call, inputs);
}

function isLayerwise<T extends Tensor>(call: Call<T> | LayerwiseCall<T>): call is LayerwiseCall<T> {
  return !isTensor(call[0]);
}

function prepareOutput<T extends Tensor>(
  operation: string,
  strategy: IDistillationStrategy,
  [student, teacher, labels, options = {}]: Call<T>,
  inputs: Inputs<T>,
): () => Evaluation {
  if (isHybrid(strategy) && readsLayers(strategy.getStrategies())) {
    const names = new Set(strategy.layerPairs().map((pair) => pair.student));
    const hint = `an entry is bound to a layer: pass { ${[...names].join(', ')} }`;
    refuse('LAYER', operation, 'student', 'be tensors by layer', 'a tensor', { hint });
  }
  const read = {
    student: inputs.output('student', student),
    teacher: inputs.teacher('teacher', teacher, [student]),
    labels: inputs.labels(labels, [student]),
    options: readOptions(options, (name, value) =>
      inputs.rowInput(`options.${name}`, value, [student]),
    ),
  };
  return () => {
    const target = read.teacher() as Matrix; // or SparseTargets, which the strategy checks
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

function prepareLayers<T extends Tensor>(
  operation: string,
  strategy: IDistillationStrategy,
  [student, teacher, labels, options = {}]: LayerwiseCall<T>,
  inputs: Inputs<T>,
): () => Evaluation {
  if (!isHybrid(strategy)) {
    const isByLayer = Object.values(student ?? {}).some(isTensor);
    const hint = isByLayer
      ? 'tensors by layer are for a HybridDistillationStrategy'
      : arrayHint(student);
    throwType(operation, 'student', 'be a tensor', student, hint);
  }
  const layers = byLayer(operation, student);
  if (typeTag(teacher) !== 'Object' || isTensor(teacher)) {
    throwType(operation, 'teacher', 'be tensors by layer, as the student is', teacher);
  }
  const pairs = strategy.layerPairs();
  const outputs = selectLayers(
    layers,
    pairs.map((pair) => pair.student),
  );
  const targets = selectLayers(
    teacher,
    pairs.map((pair) => pair.teacher),
  );
  const readersOf = (name: string) => pairs.filter((pair) => pair.teacher === name);
  const labelled = pairs.filter((pair) => pair.labels !== 'ignores');
  const read = {
    student: addEach(outputs, (name, tensor) => inputs.output(`student.${name}`, tensor)),
    teacher: addEach(targets, (name, target) =>
      inputs.teacher(`teacher.${name}`, target, studentsOf(readersOf(name), outputs)),
    ),
    labels: inputs.labels(labels, studentsOf(labelled, outputs)),
    options: readOptions(options, (name, value) => rowInputOf(name, value, inputs, outputs)),
  };
  return () =>
    strategy.computeLayerwise(read.student(), read.teacher(), read.labels(), read.options());
}

/**
 * Adds the tensors among the options of a call by `read`. Returns a function that returns the
 * options with values in place of tensors, without the options that are undefined.
 */
function readOptions<O extends LayerwiseLossOptions<Tensor>, V>(
  options: O,
  read: (name: string, value: NonNullable<O[(typeof ROW_INPUTS)[number]]>) => () => V,
): () => Partial<Record<(typeof ROW_INPUTS)[number], V>> & Pick<O, 'normalizer' | 'rowLosses'> {
  const { normalizer, rowLosses } = options;
  const reads = ROW_INPUTS.flatMap((name) => {
    const value = options[name];
    return value === undefined ? [] : [[name, read(name, value)] as const];
  });
  return () => ({
    ...Object.fromEntries(reads.map(([name, valuesOf]) => [name, valuesOf()])),
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
    : addEach(value, (name, one) => {
        const layer = outputs[name];
        return inputs.rowInput(`${argument}.${name}`, one, layer ? [layer] : []);
      });
}

/** Whether an option is one value for all layers, instead of an object with values by layer. */
export function isForAllLayers<T extends Tensor>(
  value: RowsTensor<T> | ByLayer<RowsTensor<T>>,
): value is RowsTensor<T> {
  return isTensor(value) || Object(value) !== value || 'length' in value;
}

/** Returns the student's outputs of the pairs, without missing layers. */
function studentsOf<V>(pairs: readonly ReadPair[], outputs: ByLayer<V>): V[] {
  return pairs
    .filter(({ student }) => Object.hasOwn(outputs, student))
    .map(({ student }) => outputs[student]!);
}

/**
 * Returns the layers of these names only. If a layer is missing, returns all layers: the strategy's
 * message then lists them.
 */
function selectLayers<V>(layers: ByLayer<V>, names: readonly string[]): ByLayer<V> {
  if (!names.every((name) => Object.hasOwn(layers, name))) return layers;
  return Object.fromEntries(names.map((name) => [name, layers[name]!]));
}

/** Adds the value of each layer. Returns a function that returns what was read, by layer. */
function addEach<V, R>(
  layers: ByLayer<V>,
  add: (name: string, value: V) => () => R,
): () => Record<string, R> {
  const added = Object.entries(layers).map(([name, value]) => [name, add(name, value)] as const);
  return () => Object.fromEntries(added.map(([name, read]) => [name, read()]));
}
