type Numbers = Float32Array | Float64Array;

/** Adds `scale` · values[from, from + length) to sums[to, to + length). */
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

/** Returns the inner product of left[at, at + length) and right[from, from + length). */
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
