import type { ComponentLoss, TeacherOutput } from '../../call/batch.js';
import { refuse } from '../../core/errors.js';
import type { Labels } from '../../core/labels.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import { nearestName } from '../../core/spelling.js';

/** The layer that an entry reads unless it names another: what a model puts out. */
export const OUTPUT = 'output';

/** What a model put out, by layer. An entry without a layer reads `output`. */
export type LayerOutputs<T extends FloatArray = Float32Array> = Readonly<Record<string, Matrix<T>>>;

/**
 * What a teacher put out, by layer; a layer may be sparse where the strategies that read it take
 * that.
 */
export type TeacherLayerOutputs<T extends FloatArray = Float32Array> = Readonly<
  Record<string, TeacherOutput<T>>
>;

/** @inline The names of a layer of each side that are compared. */
export interface LayerPair {
  readonly student: string;
  readonly teacher: string;
}

export interface LayerwiseOptions<T extends FloatArray = Float32Array> {
  /**
   * As in a single call; where the layers differ in rows, one mask for each student layer that
   * needs one.
   */
  readonly mask?: ArrayLike<number> | Readonly<Record<string, ArrayLike<number>>> | undefined;
  /** As in a single call, for all layers that are read, or for each student layer that needs it. */
  readonly rowWeights?: ArrayLike<number> | Readonly<Record<string, ArrayLike<number>>> | undefined;
  /** As in a single call, likewise; only response losses read it. */
  readonly temperatures?:
    | ArrayLike<number>
    | Readonly<Record<string, ArrayLike<number>>>
    | undefined;
  /**
   * As in a single call; where the layers differ in rows, one denominator for each student layer
   * that needs one.
   */
  readonly normalizer?: number | Readonly<Record<string, number>> | undefined;
  /**
   * Matrices by student layer, written with the gradients of these layers instead of new ones. As
   * `gradient` in a single call: an overwritten matrix holds unspecified numbers after an error.
   */
  readonly gradients?: Readonly<Record<string, Matrix<T>>> | undefined;
  /**
   * Add to `gradients`, and to the gradients of learnable parameters, instead of overwriting them.
   * The sums are written only if the call succeeds.
   */
  readonly accumulate?: boolean | undefined;
  /**
   * Written with the loss of each row, as in a single call: one array for the sum over all layers,
   * which then have the same rows, or one for each student layer whose losses are wanted.
   */
  readonly rowLosses?: Float64Array | Readonly<Record<string, Float64Array>> | undefined;
}

export interface LayerwiseResult<T extends FloatArray = Float32Array> {
  readonly loss: number;
  /**
   * d loss / d layer by student layer, in the layer's shape; entries that share a layer add up. The
   * matrices of the option `gradients` where there are such.
   */
  readonly gradients: Record<string, Matrix<T>>;
  readonly components: readonly ComponentLoss[];
}

/** What a record by layer says of a layer; not what objects have by themselves. */
export function own<V>(
  record: Readonly<Record<string, V>> | undefined,
  layer: string,
): V | undefined {
  return record !== undefined && Object.hasOwn(record, layer) ? record[layer] : undefined;
}

/** Whether an option is one list for all layers, and not one for each by name. */
export function isList<L extends ArrayLike<number>>(
  value: L | Readonly<Record<string, L>> | undefined,
): value is L {
  return typeof value?.length === 'number';
}

/** What an option says of a layer: the list for all layers, or that of the layer. */
export function listOf<L extends ArrayLike<number>>(
  value: L | Readonly<Record<string, L>> | undefined,
  layer: string,
): L | undefined {
  return isList(value) ? value : own(value, layer);
}

/**
 * Whether a strategy reads labels, ignores them, or does not tell: then it gets them where they fit
 * its rows.
 */
export type LabelUse = 'reads' | 'ignores' | 'unknown';

/** What an entry reads. */
export interface ReadPair extends LayerPair {
  readonly labels: LabelUse;
}

/** The arguments of a layerwise call. */
export interface LayerwiseArguments<T extends FloatArray> {
  readonly operation: string;
  readonly studentLayers: LayerOutputs<T>;
  readonly teacherLayers: TeacherLayerOutputs<T>;
  readonly labels: Labels<T> | undefined;
  readonly options: Omit<LayerwiseOptions<T>, 'accumulate'>;
}

/** Returns a layer; throws if it is not there. */
export function pickLayer<L>(
  operation: string,
  argument: string,
  layers: Readonly<Record<string, L>>,
  name: string,
): L {
  if (Object.hasOwn(layers, name)) return layers[name]!;
  refuseLayer(operation, argument, name, Object.keys(layers));
}

/** Throws the error of a layer that is not there, with the names of those that are. */
export function refuseLayer(
  operation: string,
  argument: string,
  name: string,
  present: readonly string[],
): never {
  const nearest = nearestName(present, name);
  const hint = nearest === undefined ? undefined : `did you mean '${nearest}'?`;
  const received = present.join(', ') || 'none';
  refuse('LAYER', operation, argument, `have a layer '${name}'`, received, { hint });
}
