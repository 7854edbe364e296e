/** The storage of a matrix: one of JavaScript's two floating-point arrays. */
export type FloatArray = Float32Array | Float64Array;

/**
 * What the library needs to know of a number format; the adapter that makes {@link Matrix} generic.
 * Arithmetic itself is always in doubles: a trait says how values are stored.
 */
export interface NumericTrait<T extends FloatArray> {
  readonly dtype: 'float32' | 'float64';
  readonly bytesPerElement: number;
  /** Distance from 1 to the next larger value. */
  readonly epsilon: number;
  /** Largest finite value. */
  readonly largest: number;
  /** An array of `length` zeros. */
  allocate(length: number): T;
  /** A copy of `values`, each rounded to the nearest representable value. */
  from(values: ArrayLike<number>): T;
  /** The representable value nearest to `value`. */
  round(value: number): number;
}

/** IEEE 754 single precision over `Float32Array`; the default of every factory of {@link Matrix}. */
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
  // Written out, since bundlers keep an object whose values they would have to compute.
  epsilon: 2.220446049250313e-16,
  largest: 1.7976931348623157e308,
  allocate: (length) => new Float64Array(length),
  from: (values) => new Float64Array(values),
  round: (value) => value,
};

/**
 * The built-in type of a value: `'Float32Array'`, `'Array'`, `'Null'` …
 * Read from the tag because `instanceof` fails for arrays of another realm (iframe, worker, test runner).
 */
export function typeTag(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** The trait of an array, or `undefined` where it is no float array. */
export function traitOf(data: unknown): NumericTrait<FloatArray> | undefined {
  if (data instanceof Float32Array) return float32; // the commonest, and faster than to read its tag
  const tag = typeTag(data);
  return tag === 'Float32Array' ? float32 : tag === 'Float64Array' ? float64 : undefined;
}
