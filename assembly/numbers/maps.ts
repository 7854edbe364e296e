// Attention maps: Σ over channels of z², of rows laid out [channels][positions].

import { madd, splat, VECTOR } from '../shared/lanes';
import { clear } from '../shared/stage';

/** Channels that are summed before the sum is added to that of all. */
const BLOCK: i32 = 16;

/** sums = Σ z² over channels; `part` is a row to work in. `bytes` are those of the positions. */
export function mapOf<T>(z: usize, channels: i32, bytes: usize, sums: usize, part: usize): void {
  const width = (bytes + 15) & ~15;
  clear(sums, width);
  for (let c = 0; c < channels; c += BLOCK) {
    clear(part, width);
    const last = min(c + BLOCK, channels);
    for (let k = c; k < last; k++) addSquares<T>(z + (k as usize) * bytes, bytes, part);
    for (let i: usize = 0; i < width; i += VECTOR) {
      v128.store(sums + i, v128.add<T>(v128.load(sums + i), v128.load(part + i)));
    }
  }
}

function addSquares<T>(z: usize, bytes: usize, to: usize): void {
  const whole = bytes - (bytes % VECTOR);
  let i: usize = 0;
  for (; i < whole; i += VECTOR) {
    const value = v128.load(z + i);
    v128.store(to + i, madd<T>(value, value, v128.load(to + i)));
  }
  for (; i < bytes; i += sizeof<T>()) {
    store<T>(to + i, (load<T>(to + i) + load<T>(z + i) * load<T>(z + i)) as T);
  }
}

/** gradient = z · slope of its position, or that added to it; the slopes are those by the sums, times 2. */
export function mapAdjoint<T>(
  z: usize, channels: i32, bytes: usize, slopes: usize, gradient: usize, adds: bool,
): void {
  const whole = bytes - (bytes % VECTOR);
  // Added where nothing is to be added, zeros keep one loop for both.
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
