// Writes a row of the gradient: SLOPE_FACTOR · slope + SOFT_FACTOR · q + HARD_FACTOR · hard.

import { madd, splat, VECTOR } from '../shared/lanes';
import { HARD_FACTOR, hards, qs, SLOPE_FACTOR, SOFT_FACTOR, take } from '../shared/workspace';

/** Writes a row of the gradient. The slopes may be at the same address. */
export function finish<T>(withHard: bool, adds: bool, from: usize, to: usize, width: usize): void {
  if (withHard) {
    if (adds) write<T>(true, true, from, to, width);
    else write<T>(true, false, from, to, width);
  } else {
    if (adds) write<T>(false, true, from, to, width);
    else write<T>(false, false, from, to, width);
  }
}

@inline
function write<T>(withHard: bool, adds: bool, from: usize, to: usize, width: usize): void {
  const a = take<T>(SLOPE_FACTOR);
  const b = take<T>(SOFT_FACTOR);
  const c = take<T>(HARD_FACTOR);
  const fromQ = qs;
  const fromHard = hards;
  const zero = splat<T>(0);
  for (let i: usize = 0; i < width; i += VECTOR) {
    let value = madd<T>(v128.load(fromQ + i), b, v128.mul<T>(v128.load(from + i), a));
    if (withHard) value = madd<T>(v128.load(fromHard + i), c, value);
    // Adding 0 turns −0 into 0.
    value = v128.add<T>(value, adds ? v128.load(to + i) : zero);
    v128.store(to + i, value);
  }
}

/** to += HARD_FACTOR · hard */
export function addHard<T>(to: usize, width: usize): void {
  const c = take<T>(HARD_FACTOR);
  const fromHard = hards;
  for (let i: usize = 0; i < width; i += VECTOR) {
    v128.store(to + i, madd<T>(v128.load(fromHard + i), c, v128.load(to + i)));
  }
}
