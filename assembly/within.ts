import { broadcast, VECTOR } from './lanes';

/** Whether every number is in ±limit; a NaN is not. `scratch` has room for two numbers. */
export function within<T>(pointer: usize, bytes: usize, limit: f64, scratch: usize): bool {
  store<T>(scratch, limit as T);
  store<T>(scratch + 8, -limit as T);
  const high = broadcast<T>(scratch);
  const low = broadcast<T>(scratch + 8);
  const whole = bytes - (bytes % VECTOR);
  let inside = v128.eq<i32>(high, high);
  for (let i: usize = 0; i < whole; i += VECTOR) {
    const x = v128.load(pointer + i);
    inside = v128.and(inside, v128.and(v128.le<T>(x, high), v128.ge<T>(x, low)));
  }
  let isWithin = v128.all_true<i32>(inside);
  for (let i = whole; i < bytes; i += sizeof<T>()) {
    isWithin = isWithin && abs<T>(load<T>(pointer + i)) <= (limit as T);
  }
  return isWithin;
}
