import type { ComponentLoss, TeacherOutput } from '../../call/batch.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';

/** What a model put out, by layer. An entry without a layer reads `output`. */
export type LayerOutputs<T extends FloatArray = Float32Array> = Readonly<Record<string, Matrix<T>>>;

/** What a teacher put out, by layer; a layer may be sparse where the strategies that read it take that. */
export type TeacherLayerOutputs<T extends FloatArray = Float32Array> = Readonly<
  Record<string, TeacherOutput<T>>
>;

/** @inline The names of a layer of each side that are compared. */
export interface LayerPair {
  readonly student: string;
  readonly teacher: string;
}

export interface LayerwiseOptions<T extends FloatArray = Float32Array> {
  /** As in a single call; where the layers differ in rows, one mask for each student layer that needs one. */
  readonly mask?: ArrayLike<number> | Readonly<Record<string, ArrayLike<number>>> | undefined;
  /** As in a single call; where the layers differ in rows, one denominator for each student layer that needs one. */
  readonly normalizer?: number | Readonly<Record<string, number>> | undefined;
  /**
   * Matrices by student layer, written with the gradients of these layers instead of new ones. As `gradient` in a single call:
   * an overwritten matrix holds unspecified numbers after an error.
   */
  readonly gradients?: Readonly<Record<string, Matrix<T>>> | undefined;
  /**
   * Add to `gradients`, and to the gradients of learnable parameters, instead of overwriting them. The sums are written only
   * if the call succeeds.
   */
  readonly accumulate?: boolean | undefined;
}

export interface LayerwiseResult<T extends FloatArray = Float32Array> {
  readonly loss: number;
  /**
   * d loss / d layer by student layer, in the layer's shape; entries that share a layer add up. The matrices of the option
   * `gradients` where there are such.
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

export function isList(value: LayerwiseOptions<FloatArray>['mask']): value is ArrayLike<number> {
  return typeof value?.length === 'number';
}
