import {
  type BatchRequest,
  type ComponentLoss,
  checkLabelType,
  type TeacherOutput,
} from '../../call/batch.js';
import { refuse } from '../../core/errors.js';
import { IGNORE_INDEX, isClassIndices, type Labels, labelRows } from '../../core/labels.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import type { WeightedStrategy } from './weights.js';

/** What a model put out, by layer. An entry without a layer reads `output`. */
export type LayerOutputs<T extends FloatArray = Float32Array> = Readonly<Record<string, Matrix<T>>>;

/** What a teacher put out, by layer; a layer may be sparse where the strategies that read it take that. */
export type TeacherLayerOutputs<T extends FloatArray = Float32Array> = Readonly<
  Record<string, TeacherOutput<T>>
>;

/** The names of a layer of each side that are compared. */
export interface LayerPair {
  readonly student: string;
  readonly teacher: string;
}

/** What an entry reads. */
export interface ReadPair extends LayerPair {
  /** As far as one knows: a strategy of somebody else's may. */
  readonly mayReadLabels: boolean;
}

export interface LayerwiseOptions {
  /** As in a single call; where the layers differ in rows, one mask for each student layer that needs one. */
  readonly mask?: ArrayLike<number> | Readonly<Record<string, ArrayLike<number>>>;
  /** As in a single call; where the layers differ in rows, one denominator for each student layer that needs one. */
  readonly normalizer?: number | Readonly<Record<string, number>>;
  /** Add to the gradients of learnable parameters instead of overwriting them. */
  readonly accumulate?: boolean;
}

export interface LayerwiseResult<T extends FloatArray = Float32Array> {
  readonly loss: number;
  /** d loss / d layer by student layer, in the layer's shape; entries that share a layer add up. */
  readonly gradients: Record<string, Matrix<T>>;
  readonly components: readonly ComponentLoss[];
}

/** One layerwise call; a nested hybrid works on the same one, with what it inherits. */
export interface LayerwiseCall<T extends FloatArray>
  extends Pick<BatchRequest<T>, 'operation' | 'labels' | 'said'> {
  readonly studentLayers: LayerOutputs<T>;
  readonly teacherLayers: TeacherLayerOutputs<T>;
  readonly options: LayerwiseOptions;
  /** The gradients to add to, by student layer. */
  readonly gradients: Readonly<Record<string, Matrix<T>>>;
}

const OUTPUT = 'output';

/** What the strategy of an entry is asked: its two layers, and the mask, normalizer and labels that go with them. */
export function layerRequest<T extends FloatArray>(
  call: LayerwiseCall<T>,
  layer: WeightedStrategy<T>['layer'],
  usesLabels: boolean,
): BatchRequest<T> {
  const { operation, studentLayers, teacherLayers, options } = call;
  const studentName = layerOf(layer, 'student');
  const student = pickLayer(operation, 'studentLayers', studentLayers, studentName);
  const teacher = pickLayer(operation, 'teacherLayers', teacherLayers, layerOf(layer, 'teacher'));
  const mask = isList(options.mask) ? options.mask : own(options.mask, studentName);
  const normalizer =
    typeof options.normalizer === 'object'
      ? own(options.normalizer, studentName)
      : options.normalizer;
  if (call.labels !== undefined) checkLabelType(operation, call.labels, student);
  const labels = usesLabels ? call.labels : ignoringLabels(call, student, mask, studentName);
  return { ...call, student, teacher, mask, normalizer, labels };
}

/** The labels as far as they say which rows to ignore, for a layer that may have other rows than they have. */
function ignoringLabels<T extends FloatArray>(
  { operation, labels }: LayerwiseCall<T>,
  student: Matrix<T>,
  mask: ArrayLike<number> | undefined,
  layer: string,
): Labels<T> | undefined {
  if (labels === undefined || labelRows(labels) === student.rows) return labels;
  if (mask !== undefined || !isClassIndices(labels) || !labels.includes(IGNORE_INDEX)) return;
  refuse(
    'LAYER',
    operation,
    'labels',
    `have no IGNORE_INDEX, or one label for each of the ${student.rows} rows of '${layer}'`,
    `${labels.length} labels with IGNORE_INDEX`,
    undefined,
    `say which rows of the layer to skip: mask: { ${layer}: … }`,
  );
}

/** What a record by layer says of a layer; not what objects have by themselves. */
function own<V>(record: Readonly<Record<string, V>> | undefined, layer: string): V | undefined {
  return record !== undefined && Object.hasOwn(record, layer) ? record[layer] : undefined;
}

function pickLayer<L>(
  operation: string,
  argument: string,
  layers: Readonly<Record<string, L>>,
  name: string,
): L {
  if (Object.hasOwn(layers, name)) return layers[name]!;
  refuse(
    'LAYER',
    operation,
    argument,
    `have a layer '${name}'`,
    Object.keys(layers).join(', ') || 'none',
  );
}

export function layerOf(
  layer: string | LayerPair | undefined = OUTPUT,
  side: 'student' | 'teacher',
): string {
  return typeof layer === 'string' ? layer : layer[side];
}

export function isList(value: LayerwiseOptions['mask']): value is ArrayLike<number> {
  return typeof value?.length === 'number';
}
