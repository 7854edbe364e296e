import { splat, VECTOR } from '../shared/lanes';

/** Returns x − x: 0 if x is finite, otherwise NaN. For doubles, 0 only if |x| is at most 2^823. */
@inline
function zeroIfFinite<T>(x: v128, huge: v128): v128 {
  const y = sizeof<T>() == 8 ? v128.mul<T>(x, huge) : x;
  return v128.sub<T>(y, y);
}

/** Whether every number is finite and, for doubles, at most 2^823. */
export function areFinite<T>(pointer: usize, bytes: usize): bool {
  const huge = splat<f64>(1.6069380442589903e60); // 2^200
  const whole = bytes - (bytes % (4 * VECTOR));
  let a = splat<T>(0);
  let b = a;
  // Four vectors at a time: the loop is limited by the loads.
  for (let i: usize = 0; i < whole; i += 4 * VECTOR) {
    a = v128.or(a, zeroIfFinite<T>(v128.load(pointer + i), huge));
    b = v128.or(b, zeroIfFinite<T>(v128.load(pointer + i, 16), huge));
    a = v128.or(a, zeroIfFinite<T>(v128.load(pointer + i, 32), huge));
    b = v128.or(b, zeroIfFinite<T>(v128.load(pointer + i, 48), huge));
  }
  for (let i = whole; i < bytes; i += sizeof<T>()) {
    a = v128.or(a, zeroIfFinite<T>(splat<T>(load<T>(pointer + i) as f64), huge));
  }
  return !v128.any_true(v128.or(a, b));
}
