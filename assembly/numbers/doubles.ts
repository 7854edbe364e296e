// Numbers of either format, computed as doubles, two at a time.

/** Two numbers, as doubles. */
@inline
export function pair<T>(at: usize): v128 {
  return sizeof<T>() == 8 ? v128.load(at) : f64x2.promote_low_f32x4(v128.load64_zero(at));
}

/** Writes two doubles as numbers. */
@inline
export function putPair<T>(at: usize, value: v128): void {
  if (sizeof<T>() == 8) v128.store(at, value);
  else v128.store64_lane(at, f32x4.demote_f64x2_zero(value), 0);
}

/** Bytes of two numbers. */
@inline
export function pairBytes<T>(): usize {
  return 2 * sizeof<T>();
}
