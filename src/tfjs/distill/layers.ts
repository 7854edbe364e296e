import { checkOptions, refuse, throwShape, throwType } from '../../core/errors.js';
import { typeTag } from '../../core/numeric.js';
import { OUTPUT, refuseLayer } from '../../strategies/hybrid/layers.js';
import type { ByLayer } from '../../tensors/evaluation.js';
import { isTensor } from '../../tensors/tensor.js';
import type { LayersModel, Tensor } from '../tensorflow.js';
import type { SampleTensors } from './rows.js';

/**
 * Replaces a layer that a strategy reads: by another layer of the model, by a function of the
 * layer's output, or by both.
 */
export type LayerView<T extends Tensor> =
  | string
  | ((output: T) => T)
  | { readonly layer: string; readonly transform: (output: T) => T };

/** Runs a model, and returns the outputs of the layers that a strategy reads. */
export type Tap<T extends Tensor> = (
  batch: SampleTensors<T>,
  options: { training: boolean },
) => Record<string, T>;

/** @inline `tf.model`, which makes a model of layers of another model. */
export type MakeModel = (parts: {
  inputs: unknown;
  outputs: unknown;
  name?: string;
}) => LayersModel;

/**
 * Whether a value is a `tf.LayersModel`. The test looks at the structure, because a program may
 * hold several copies of TensorFlow.js.
 */
export function isLayersModel(value: unknown): value is LayersModel {
  return (
    typeof value === 'object' && value !== null && 'layers' in value && 'trainableWeights' in value
  );
}

/**
 * Makes a function that runs a model once and returns the outputs of all layers of these names.
 * With one run, dropouts draw the same random numbers for all of these layers.
 */
export function tap<T extends Tensor>(
  operation: string,
  argument: string,
  model: LayersModel,
  names: readonly string[],
  views: ByLayer<LayerView<T>>,
  makeModel: MakeModel | undefined,
): Tap<T> {
  if (!model.built) model.build();
  const read = names.map((name) => {
    const { layer, transform } = viewOf(operation, `layers.${argument}.${name}`, name, views[name]);
    return { name, transform, symbol: symbolOf(operation, argument, model, layer) };
  });
  const symbols = [...new Set(read.map(({ symbol }) => symbol))];
  const isWhole = symbols.length === 1 && symbols[0] === model.outputs[0];
  const runner =
    isWhole && model.outputs.length === 1
      ? model
      : submodelOf(operation, model, symbols, makeModel);
  return (batch, options) => {
    const inputs = inputsOf(operation, model, batch);
    let returned: T | T[];
    try {
      returned = runner.apply(inputs, options) as T | T[];
    } catch (error) {
      checkWidths(operation, argument, model, inputs);
      throw error;
    }
    const outputs = Array.isArray(returned) ? returned : [returned];
    const layers = read.map(({ name, transform, symbol }) => {
      const output = outputs[symbols.indexOf(symbol)]!;
      return [name, transform ? transform(output) : output] as const;
    });
    return Object.fromEntries(layers);
  };
}

/**
 * Returns a model from the inputs of another model to some of its symbolic tensors. It shares the
 * layers of the other model, and must not be disposed.
 */
function submodelOf(
  operation: string,
  { name, inputs }: LayersModel,
  outputs: readonly unknown[],
  makeModel: MakeModel | undefined,
): LayersModel {
  if (makeModel) return makeModel({ inputs, outputs, name });
  const hint = "import * as tf from '@tensorflow/tfjs', or pass { ...core, ...layers }";
  refuse('UNAVAILABLE', operation, 'tf', 'have tf.model, to read layers', 'none', { hint });
}

interface View<T> {
  readonly layer: string;
  readonly transform?: ((output: T) => T) | undefined;
}

function viewOf<T extends Tensor>(
  operation: string,
  argument: string,
  name: string,
  view: LayerView<T> | undefined,
): View<T> {
  if (view === undefined) return { layer: name };
  if (typeof view === 'string') return { layer: view };
  if (typeof view === 'function') return { layer: name, transform: view };
  checkOptions(operation, argument, view, ['layer', 'transform']);
  const { layer, transform } = view;
  if (typeof layer !== 'string') throwType(operation, `${argument}.layer`, 'be a name', layer);
  if (typeof transform !== 'function') {
    throwType(operation, `${argument}.transform`, 'be a function of a tensor', transform);
  }
  return { layer, transform };
}

/** Returns the symbolic tensor of a layer's output in the graph of a model. */
function symbolOf(operation: string, argument: string, model: LayersModel, name: string): unknown {
  const { layers, outputs, nodesByDepth } = model;
  if (name === OUTPUT && outputs.length === 1) return outputs[0];
  const layer = layers.find((candidate) => candidate.name === name);
  if (layer === undefined) {
    const names = layers.map((candidate) => candidate.name);
    const present = outputs.length === 1 ? [OUTPUT, ...names] : names;
    refuseLayer(operation, argument, name, present, (nearest) => `did you mean '${nearest}'?`);
  }
  const calls = Object.values(nodesByDepth)
    .flat()
    .filter(({ outboundLayer }) => outboundLayer === layer);
  const tensors = calls.flatMap(({ outputTensors }) => outputTensors);
  if (tensors.length === 1) return tensors[0];
  const expected = `have one output of the layer '${name}'`;
  const hint = `pass a function (batch) => tensors by layer as the ${argument}`;
  refuse('LAYER', operation, argument, expected, `${tensors.length}`, { hint });
}

/** Throws if an input of a model has another number of columns than the model takes. */
function checkWidths(
  operation: string,
  argument: string,
  { inputs }: LayersModel,
  given: Tensor | readonly Tensor[],
): void {
  [given].flat().forEach(({ shape }: Tensor, i) => {
    const { shape: expected } = inputs[i] as { readonly shape: readonly (number | null)[] };
    const width = expected.at(-1);
    if (width == null || shape.at(-1) === width) return;
    const why = `the ${argument}'s input`;
    throwShape(operation, 'data', shape, [...shape.slice(0, -1), width], why);
  });
}

/** Returns the inputs of a model. Data by name are put in the order of the model's inputs. */
function inputsOf<T extends Tensor>(
  operation: string,
  { inputNames }: LayersModel,
  batch: SampleTensors<T>,
): T | readonly T[] {
  if (isTensor(batch) || typeTag(batch) !== 'Object') return batch as T | readonly T[];
  return inputNames.map((name) => {
    if (Object.hasOwn(batch, name)) return (batch as ByLayer<T>)[name]!;
    const received = Object.keys(batch).join(', ');
    return refuse('LAYER', operation, 'data', `have the model's input '${name}'`, received);
  });
}
