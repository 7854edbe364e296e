import type { ComponentLoss, TeacherOutput } from '../../call/batch.js';
import { isMatrix } from '../../core/content.js';
import { refuse, throwType } from '../../core/errors.js';
import type { Labels } from '../../core/labels.js';
import type { Matrix } from '../../core/matrix.js';
import { type FloatArray, typeTag } from '../../core/numeric.js';
import { nearestName } from '../../core/spelling.js';

/** The layer of an entry that names none: the output of the model. */
export const OUTPUT = 'output';

/** Outputs of a model by layer name. An entry that names no layer reads `output`. */
export type LayerOutputs<T extends FloatArray = Float32Array> = Readonly<Record<string, Matrix<T>>>;

/**
 * Outputs of a teacher by layer name. A layer may be sparse if the strategies that read it take
 * {@link SparseTargets}.
 */
export type TeacherLayerOutputs<T extends FloatArray = Float32Array> = Readonly<
  Record<string, TeacherOutput<T>>
>;

/** @inline The names of the two layers that are compared. */
export interface LayerPair {
  readonly student: string;
  readonly teacher: string;
}

/** Options of a layerwise call. An option by layer has the names of student layers as keys. */
export interface LayerwiseOptions<T extends FloatArray = Float32Array> {
  /**
   * One number for each row, 0 excludes the row; for all layers, or by layer where layers differ in
   * rows.
   */
  readonly mask?: ArrayLike<number> | Readonly<Record<string, ArrayLike<number>>> | undefined;
  /** Weights of the rows, for all layers or by layer. */
  readonly rowWeights?: ArrayLike<number> | Readonly<Record<string, ArrayLike<number>>> | undefined;
  /** Temperatures of the rows, for all layers or by layer; only response losses read them. */
  readonly temperatures?:
    | ArrayLike<number>
    | Readonly<Record<string, ArrayLike<number>>>
    | undefined;
  /**
   * Denominator of the means over rows, for all layers, or by layer where layers differ in rows.
   */
  readonly normalizer?: number | Readonly<Record<string, number>> | undefined;
  /**
   * Output buffers by student layer: each receives the gradient of its layer, in place of a new
   * matrix. After an error, a buffer that was to be overwritten holds unspecified numbers.
   */
  readonly gradients?: Readonly<Record<string, Matrix<T>>> | undefined;
  /**
   * Whether the call adds to `gradients` and to the gradients of parameters, in place of
   * overwriting them. An accumulating call writes only if it succeeds.
   *
   * @defaultValue false
   */
  readonly accumulate?: boolean | undefined;
  /**
   * Output buffers for the loss of each row: one array for the sum over all layers, which must then
   * have the same rows, or one array for each student layer.
   */
  readonly rowLosses?: Float64Array | Readonly<Record<string, Float64Array>> | undefined;
}

/** The names of the {@link LayerwiseOptions}. */
export const LAYERWISE_OPTIONS: readonly string[] = [
  'mask',
  'rowWeights',
  'temperatures',
  'normalizer',
  'gradients',
  'accumulate',
  'rowLosses',
];

/** Result of a layerwise call. */
export interface LayerwiseResult<T extends FloatArray = Float32Array> {
  /** Weighted sum of the losses of the entries. */
  readonly loss: number;
  /**
   * d loss / d layer by student layer, in the shape of the layer. Entries that read the same layer
   * add up. A layer with an output buffer in the option `gradients` has that buffer here.
   */
  readonly gradients: Record<string, Matrix<T>>;
  /** One component for each entry, in the order of the entries. */
  readonly components: readonly ComponentLoss[];
}

/**
 * Returns the value of a layer in a record by layer name; properties that objects inherit do not
 * count.
 */
export function own<V>(
  record: Readonly<Record<string, V>> | undefined,
  layer: string,
): V | undefined {
  return record !== undefined && Object.hasOwn(record, layer) ? record[layer] : undefined;
}

/** Returns whether an option is one list for all layers, and not a record by layer name. */
export function isList<L extends ArrayLike<number>>(
  value: L | Readonly<Record<string, L>> | undefined,
): value is L {
  return typeof value?.length === 'number';
}

/** Returns the list of an option for a layer: the list for all layers, or the layer's own. */
export function listOf<L extends ArrayLike<number>>(
  value: L | Readonly<Record<string, L>> | undefined,
  layer: string,
): L | undefined {
  return isList(value) ? value : own(value, layer);
}

/**
 * Whether a strategy reads labels, ignores them, or does not tell. A strategy that does not tell
 * gets labels if there is one for each of its rows.
 */
export type LabelUse = 'reads' | 'ignores' | 'unknown';

/** A pair of layers, and how the strategy that reads it uses labels. */
export interface LabelledPair extends LayerPair {
  readonly labels: LabelUse;
}

/** The two layers that an entry reads. */
export interface ReadPair extends LabelledPair {
  /** Whether the entry takes a temperature for each row. */
  readonly usesTemperatures: boolean;
}

/** The arguments of a layerwise call. */
export interface LayerwiseArguments<T extends FloatArray> {
  readonly operation: string;
  readonly studentLayers: LayerOutputs<T>;
  readonly teacherLayers: TeacherLayerOutputs<T>;
  readonly labels: Labels<T> | undefined;
  readonly options: Omit<LayerwiseOptions<T>, 'accumulate'>;
}

/** Throws unless each argument is an object with values by layer name. */
export function checkRecords(operation: string, records: Readonly<Record<string, unknown>>): void {
  for (const [argument, value] of Object.entries(records)) {
    if (typeTag(value) === 'Object' && !isMatrix(value)) continue;
    const hint = `write { output: ${argument} }`;
    throwType(operation, argument, 'be an object of matrices by layer name', value, hint);
  }
}

/** Returns a layer of those that the caller passed; throws if it is missing. */
export function pickLayer<L>(
  operation: string,
  argument: string,
  layers: Readonly<Record<string, L>>,
  name: string,
): L {
  if (Object.hasOwn(layers, name)) return layers[name]!;
  refuseLayer(operation, argument, name, Object.keys(layers), (nearest) => {
    const side = argument.startsWith('teacher') ? 'teacher' : 'student';
    return `rename '${nearest}' to '${name}', or give the entry layer: { ${side}: '${nearest}', … }`;
  });
}

/**
 * Throws the error of a missing layer, with the names of the layers that are there.
 *
 * @param hintOf - makes the hint if one of these names is nearly the missing one
 */
export function refuseLayer(
  operation: string,
  argument: string,
  name: string,
  present: readonly string[],
  hintOf: (nearest: string) => string,
): never {
  const nearest = nearestName(present, name);
  const hint = nearest === undefined ? undefined : hintOf(nearest);
  const received = present.join(', ') || 'none';
  refuse('LAYER', operation, argument, `have a layer '${name}'`, received, { hint });
}

/** Returns the name of the layer that an entry reads on one side. */
export function layerOf(
  layer: string | LayerPair | undefined = OUTPUT,
  side: 'student' | 'teacher',
): string {
  return typeof layer === 'string' ? layer : layer[side];
}

/**
 * Throws if the student has a layer that no entry reads, because the layer would get no gradient. A
 * teacher may have more layers than are read.
 */
export function checkAllRead(
  operation: string,
  names: readonly string[],
  studentLayers: Readonly<Record<string, unknown>>,
): void {
  // If a layer is missing, the error of the entry that reads it lists the layers.
  if (!names.every((name) => Object.hasOwn(studentLayers, name))) return;
  for (const [layer, value] of Object.entries(studentLayers)) {
    if (value === undefined || names.includes(layer)) continue;
    const read = names.join(', ');
    refuse('LAYER', operation, 'studentLayers', `have only layers that are read (${read})`, layer, {
      sentence: `no entry reads the student's layer '${layer}'; layers that are read: ${read}`,
      hint: `leave '${layer}' out, or bind an entry to it: layer: '${layer}'`,
    });
  }
}
