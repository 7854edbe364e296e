// Loads and stores pairs of numbers of either format as doubles.

/** Loads two numbers as doubles. */
@inline
export function loadPair<T>(at: usize): v128 {
  return sizeof<T>() == 8 ? v128.load(at) : f64x2.promote_low_f32x4(v128.load64_zero(at));
}

/** Stores two doubles in the number format of the call. */
@inline
export function storePair<T>(at: usize, value: v128): void {
  if (sizeof<T>() == 8) v128.store(at, value);
  else v128.store64_lane(at, f32x4.demote_f64x2_zero(value), 0);
}

/** Returns the bytes of two numbers. */
@inline
export function pairBytes<T>(): usize {
  return 2 * sizeof<T>();
}
