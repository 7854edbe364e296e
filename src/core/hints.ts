// Hints for values of the wrong type. Following a hint on the value that raised it leads to a
// working call. Hints are made on the throw path only.

import { type NumericTrait, traitOf, typeTag } from './numeric.js';

/** Makes a hint for an argument of another type; undefined where nothing is sure to work. */
export type HintOf = (argument: string, value: unknown) => string | undefined;

/** The argument with which a matrix is compared. */
interface Student {
  readonly rows: number;
  readonly columns: number;
  readonly numeric: Pick<NumericTrait<never>, 'dtype'>;
}

const FRAMEWORKS =
  'use knowledge-distillation/tfjs for tensors of TensorFlow.js, /jax for arrays of jax-js';

/** Hint for labels that are names. */
export const INDICES = 'map each label to the index of its column, from 0';

const INTEGER = /^-?\d+$/;

const IS_BIG = /^Big/;

/** Hint for data of a tensor that are no floats. */
export function floatsHint(
  data: unknown,
  type: string | undefined,
  dims: string,
): string | undefined {
  if (typeof data === 'function') {
    return `read it first: Matrix.fromTensor({ data: await tensor.data(), ${dims}: tensor.${dims} })`;
  }
  const isUint16 = typeTag(data) === 'Uint16Array';
  const floats = isUint16 ? 'Float32Array.from(tensor.data)' : asFloats('tensor.data', data);
  if (floats === undefined) return undefined;
  const half =
    isUint16 && type === undefined ? "; bits of half precision need type: 'float16'" : '';
  return `convert it first: Matrix.fromTensor({ data: ${floats}, ${dims}: tensor.${dims} })${half}`;
}

/** Hint for data of a matrix that are no floats. */
export function dataHint(data: unknown, columns: unknown): string | undefined {
  if (typeof data === 'number' && columns === undefined) {
    return 'for a matrix of zeros, use Matrix.zeros(rows, columns)';
  }
  if (isRows(data)) return 'use Matrix.fromRows(data)';
  const floats = asFloats('data', data);
  return floats && `use ${floats}`;
}

/**
 * Hint for making a matrix of an array, a typed array or a tensor; undefined for anything else.
 * Without `numeric`, a typed array keeps its dtype.
 */
export function matrixHint(
  argument: string,
  value: unknown,
  numeric?: Student['numeric'],
): string | undefined {
  return quietly(() => matrixHintOf(argument, value, numeric ?? traitOf(value)));
}

function matrixHintOf(
  argument: string,
  value: unknown,
  { dtype }: Student['numeric'] = { dtype: 'float32' },
): string | undefined {
  const format = dtype === 'float32' ? '' : `, ${dtype}`;
  if (isRows(value)) return `use Matrix.fromRows(${argument}${format})`;
  if (Array.isArray(value)) {
    return typeof value[0] === 'number' ? `use Matrix.fromRows([${argument}]${format})` : undefined;
  }
  if (argument === 'teacher' && typeTag(value) === 'Int32Array') {
    return 'labels are the third argument';
  }
  if (ArrayBuffer.isView(value)) {
    const floats = asFloats(argument, value, dtype);
    return floats && `use new Matrix(${floats}, rows, columns)`;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (areLayers(value)) {
    return 'for matrices by layer, call computeLayerwise of a hybrid';
  }
  if (!('data' in value)) return undefined;
  if (typeof value.data === 'function') return FRAMEWORKS;
  if (!('dims' in value || 'shape' in value)) return undefined;
  const isOther = traitOf(value.data)?.dtype !== dtype;
  return `use Matrix.fromTensor(${argument}${isOther ? `, ${dtype}` : ''})`;
}

/** Hint for labels of another type, for a batch of a student. */
export function labelsHint(labels: unknown, student: Student): string | undefined {
  return quietly(() => labelsHintOf(labels, student));
}

function labelsHintOf(labels: unknown, { rows, columns, numeric }: Student): string | undefined {
  if (labels === null) return 'pass undefined where there are no labels';
  const isObject = typeTag(labels) === 'Object';
  const isTensor = isObject && 'data' in (labels as object);
  if (isObject && !isTensor && Object.getPrototypeOf(labels) === Object.prototype) {
    return 'options come after the labels: pass undefined for labels';
  }
  if (isRows(labels)) {
    const isDistribution = labels.length === rows && labels.every((row) => row.length === columns);
    if (isDistribution) return matrixHint('labels', labels, numeric);
    const flat = labels.reduce((length, row) => length + row.length, 0);
    return flat === rows ? 'use Int32Array.from(labels.flat())' : undefined;
  }
  const values = isTensor ? (labels as { data: unknown }).data : labels;
  const name = isTensor ? 'labels.data' : 'labels';
  if (isTensor && typeof values === 'function') return FRAMEWORKS;
  if (!Array.isArray(values) && !isTyped(values)) return undefined;
  const { length } = values as ArrayLike<unknown>;
  if (length !== rows && length !== rows * columns) return undefined;
  const list = Array.from(values as ArrayLike<unknown>);
  const known = list.filter((label) => label !== null);
  if (typeof known[0] === 'string' && !known.every((label) => INTEGER.test(label as string))) {
    return INDICES;
  }
  const floats = asFloats(name, values, numeric.dtype);
  if (length !== rows) return floats && `use new Matrix(${floats}, ${rows}, ${columns})`;
  const hint = indicesHint(name, known);
  if (known.length === rows || hint === undefined) return hint;
  return `use UNLABELED for null: Int32Array.from(${name}, (label) => Number(label ?? UNLABELED))`;
}

/** Hint for class indices that are not in an `Int32Array`. */
export function indicesHint(argument: string, values: unknown): string | undefined {
  if (!Array.isArray(values) && !isTyped(values)) return undefined;
  const { length } = values as ArrayLike<unknown>;
  let areNumbers = true;
  for (let i = 0; i < length; i++) {
    const index = (values as ArrayLike<unknown>)[i];
    if (!isInt32(index)) return undefined;
    areNumbers &&= typeof index === 'number';
  }
  return `use Int32Array.from(${argument}${areNumbers ? '' : ', Number'})`;
}

/** Whether a number, a bigint or digits are an integer that an `Int32Array` holds. */
function isInt32(index: unknown): boolean {
  if (typeof index === 'string' ? !INTEGER.test(index) : !/number|bigint/.test(typeof index)) {
    return false;
  }
  return (Number(index) | 0) === Number(index);
}

/** How numbers become floats; undefined for what holds no numbers, or may hold bits of halves. */
function asFloats(
  argument: string,
  values: unknown,
  dtype: 'float32' | 'float64' = 'float32',
): string | undefined {
  if (traitOf(values)?.dtype === dtype) return argument;
  const isList = isTyped(values) ? typeTag(values) !== 'Uint16Array' : isNumbers(values);
  const toNumber = IS_BIG.test(typeTag(values)) ? ', Number' : '';
  return isList ? `Float${dtype.slice(5)}Array.from(${argument}${toNumber})` : undefined;
}

/** Whether a value is a list of rows of numbers. */
function isRows(value: unknown): value is readonly ArrayLike<number>[] {
  if (!Array.isArray(value)) return false;
  const row: unknown = value[0];
  return isNumbers(row) || (isTyped(row) && !IS_BIG.test(typeTag(row)));
}

function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && typeof value[0] === 'number';
}

function isTyped(value: unknown): boolean {
  return ArrayBuffer.isView(value) && 'length' in value;
}

/** A hint must not replace the error that it explains: a value may throw when it is looked at. */
function quietly(hint: () => string | undefined): string | undefined {
  try {
    return hint();
  } catch {
    return undefined;
  }
}

/** Whether an object holds matrices alone, as the outputs of a model by layer do. */
function areLayers(value: object): boolean {
  const layers = Object.values(value);
  return layers.length > 0 && layers.every((layer) => layer?.numeric?.dtype !== undefined);
}
