// Copies rows that are not whole vectors to and from the workspace.

import { VECTOR } from './lanes';

/** Copies a row of a matrix to a row of the workspace, which is padded to whole vectors. */
export function copyIn<T>(from: usize, to: usize, bytes: usize, width: usize, padding: f64): void {
  const whole = bytes - (bytes % VECTOR);
  let i: usize = 0;
  for (; i < whole; i += VECTOR) v128.store(to + i, v128.load(from + i));
  for (; i < bytes; i += sizeof<T>()) store<T>(to + i, load<T>(from + i));
  for (; i < width; i += sizeof<T>()) store<T>(to + i, padding as T);
}

/** Copies a row of the workspace to a row of a matrix, or adds it. */
export function copyOut<T>(from: usize, to: usize, bytes: usize, adds: bool): void {
  const whole = bytes - (bytes % VECTOR);
  let i: usize = 0;
  if (adds) {
    for (; i < whole; i += VECTOR) {
      v128.store(to + i, v128.add<T>(v128.load(to + i), v128.load(from + i)));
    }
    for (; i < bytes; i += sizeof<T>()) store<T>(to + i, (load<T>(to + i) + load<T>(from + i)) as T);
    return;
  }
  for (; i < whole; i += VECTOR) v128.store(to + i, v128.load(from + i));
  for (; i < bytes; i += sizeof<T>()) store<T>(to + i, load<T>(from + i));
}

/** Writes zeros. */
export function clear(to: usize, bytes: usize): void {
  const zero = i64x2.splat(0);
  const whole = bytes - (bytes % VECTOR);
  let i: usize = 0;
  for (; i < whole; i += VECTOR) v128.store(to + i, zero);
  for (; i < bytes; i += 4) store<i32>(to + i, 0);
}
