/** Array that stores the elements of a matrix. */
export type FloatArray = Float32Array | Float64Array;

/**
 * A number format: the adapter that makes {@link Matrix} generic. It describes how values are
 * stored; arithmetic is always in doubles.
 */
export interface NumericTrait<T extends FloatArray> {
  /** Name of the format. */
  readonly dtype: 'float32' | 'float64';
  /** Bytes of one element, 4 or 8. */
  readonly bytesPerElement: number;
  /** Distance from 1 to the next larger value. */
  readonly epsilon: number;
  /** Largest finite value. */
  readonly largest: number;
  /** Allocates an array of `length` zeros. */
  allocate(length: number): T;
  /** Copies `values`, each rounded to the nearest representable value. */
  from(values: ArrayLike<number>): T;
  /** Returns the representable value nearest to `value`. */
  round(value: number): number;
}

/**
 * IEEE 754 single precision over `Float32Array`; the default of every factory of {@link Matrix}.
 */
export const float32: NumericTrait<Float32Array> = {
  dtype: 'float32',
  bytesPerElement: 4,
  epsilon: 1.1920928955078125e-7,
  largest: 3.4028234663852886e38,
  allocate: (length) => new Float32Array(length),
  from: (values) => new Float32Array(values),
  round: Math.fround,
};

/** IEEE 754 double precision over `Float64Array`. */
export const float64: NumericTrait<Float64Array> = {
  dtype: 'float64',
  bytesPerElement: 8,
  // Literals, not Number.EPSILON: bundlers keep an unused object whose values have to be computed.
  epsilon: 2.220446049250313e-16,
  largest: 1.7976931348623157e308,
  allocate: (length) => new Float64Array(length),
  from: (values) => new Float64Array(values),
  round: (value) => value,
};

/**
 * Returns the built-in type of a value: `'Float32Array'`, `'Array'`, `'Null'` … The type is read
 * from the tag, because `instanceof` fails for arrays of another realm (iframe, worker, test
 * runner).
 */
export function typeTag(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Returns the number format of a float array; undefined for any other value. */
export function traitOf(data: unknown): NumericTrait<FloatArray> | undefined {
  if (data instanceof Float32Array) return float32; // most arrays; reading the tag is slower
  const tag = typeTag(data);
  return tag === 'Float32Array' ? float32 : tag === 'Float64Array' ? float64 : undefined;
}
