type Numbers = Float32Array | Float64Array;

/** Adds `scale` times the `length` values from `from` on to the sums from `to` on. */
export function addScaled(
  sums: Numbers,
  to: number,
  scale: number,
  values: Numbers | Int8Array,
  from: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) sums[to + i]! += scale * values[from + i]!;
}

/** The product of the `length` values on either side, each from its place on. */
export function dot(
  left: Numbers,
  at: number,
  right: Numbers,
  from: number,
  length: number,
): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += left[at + i]! * right[from + i]!;
  return sum;
}
