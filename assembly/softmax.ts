// What goes into a softmax, and what comes of it at another temperature.

/** (x − max) · scale, in steps. */
// @ts-ignore: decorator
@inline
export function scaled<T>(x: v128, max: v128, scale: v128): v128 {
  return v128.mul<T>(v128.sub<T>(x, max), scale);
}

/** e¹ᐟᵀ to the hard term's power: the exponential at temperature 1. */
// @ts-ignore: decorator
@inline
export function raised<T>(q: v128, hard: i32): v128 {
  if (hard == 1) return q;
  const square = v128.mul<T>(q, q);
  if (hard == 2) return square;
  return v128.mul<T>(square, hard == 3 ? q : square);
}

/** Temperatures up to this one, if whole, are powers; a higher one would magnify the rounding too much. */
export const LARGEST_POWER: i32 = 4;
