// Attention maps: Σ over channels of z², for rows in the layout [channels, positions]. The sums are
// doubles, because the difference of two similar maps loses many digits.

import { madd, splat, VECTOR } from '../shared/lanes';
import { clear } from '../shared/stage';

/** Writes Σ z² over channels for each position. One channel of the row has `bytes` bytes. */
export function mapOf<T>(z: usize, channels: i32, bytes: usize, sums: usize): void {
  clear(sums, (bytes / sizeof<T>() * 8 + 15) & ~15);
  for (let c = 0; c < channels; c++) addSquares<T>(z + (c as usize) * bytes, bytes, sums);
}

@inline
function addSquare(value: v128, to: usize): void {
  v128.store(to, madd<f64>(value, value, v128.load(to)));
}

function addSquares<T>(z: usize, bytes: usize, to: usize): void {
  const whole = bytes - (bytes % VECTOR);
  let i: usize = 0;
  for (; i < whole; i += VECTOR) {
    const value = v128.load(z + i);
    if (sizeof<T>() == 8) {
      addSquare(value, to + i);
    } else {
      addSquare(f64x2.promote_low_f32x4(value), to + 2 * i);
      addSquare(f64x2.promote_low_f32x4(v128.shuffle<i32>(value, value, 2, 3, 2, 3)), to + 2 * i + 16);
    }
  }
  for (; i < bytes; i += sizeof<T>()) {
    const value = load<T>(z + i) as f64;
    const at = to + i / sizeof<T>() * 8;
    store<f64>(at, load<f64>(at) + value * value);
  }
}

/** Converts doubles to the number format of the call, in place. */
export function narrow<T>(row: usize, width: usize): void {
  if (sizeof<T>() == 8) return;
  for (let i: usize = 0; i < width; i += VECTOR) {
    v128.store64_lane(row + i / 2, f32x4.demote_f64x2_zero(v128.load(row + i)), 0);
  }
}

/** gradient = z · slope of the position, or gradient += z · slope if `adds`. */
export function mapAdjoint<T>(
  z: usize, channels: i32, bytes: usize, slopes: usize, gradient: usize, adds: bool,
): void {
  const whole = bytes - (bytes % VECTOR);
  const zero = splat<T>(0);
  for (let c = 0; c < channels; c++) {
    const from = z + (c as usize) * bytes;
    const to = gradient + (c as usize) * bytes;
    let i: usize = 0;
    for (; i < whole; i += VECTOR) {
      const before = adds ? v128.load(to + i) : zero;
      v128.store(to + i, madd<T>(v128.load(from + i), v128.load(slopes + i), before));
    }
    for (; i < bytes; i += sizeof<T>()) {
      const before = adds ? load<T>(to + i) : (0 as T);
      store<T>(to + i, (before + load<T>(from + i) * load<T>(slopes + i)) as T);
    }
  }
}
