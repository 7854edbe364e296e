// Sorts rows in descending order: by a radix sort with digits of 8 bits, or by insertion if a row
// is short.

import { COUNT_BYTES } from '../../src/engine/layout';
import { stride, teacherStride, width } from '../shared/call';
import { clear } from '../shared/stage';
import { refer, termOf } from './term';
import { TotalVariation } from './terms';
import { ps, qs, spare, selectExponentials } from '../shared/workspace';

// A pair holds a key, which has the size of a number, then the offset of the number in its row, in
// the same size. Ascending keys belong to descending numbers.

/** Turns the bits of a number into its key, and a key into the bits of its number. */
@inline
function turned<T>(bits: T): T {
  const negative = bits >> ((8 * sizeof<T>() - 1) as T); // all ones, or none
  return bits ^ (~negative & (sizeof<T>() == 8 ? (i64.MAX_VALUE as T) : (i32.MAX_VALUE as T)));
}

/** Returns the offset of the number of a pair. */
@inline
function placeAt<T>(pair: usize): usize {
  return sizeof<T>() == 8 ? (load<i64>(pair, 8) as usize) : (load<i32>(pair, 4) as usize);
}

@inline
function copyPair<T>(from: usize, to: usize): void {
  if (sizeof<T>() == 8) v128.store(to, v128.load(from));
  else store<i64>(to, load<i64>(from));
}

/** Counts a digit of a key. */
@inline
function count(counts: usize, place: usize, digit: usize): void {
  const at = counts + (place << 10) + (digit << 2);
  store<i32>(at, load<i32>(at) + 1);
}

/** Writes the pairs of a row in the order of the row. */
function pairUp<T>(row: usize, bytes: usize, to: usize): void {
  for (let i: usize = 0; i < bytes; i += sizeof<T>()) {
    const pair = to + 2 * i;
    if (sizeof<T>() == 8) {
      store<i64>(pair, turned<i64>(load<i64>(row + i)));
      store<i64>(pair, i as i64, 8);
    } else {
      store<i32>(pair, turned<i32>(load<i32>(row + i)));
      store<i32>(pair, i as i32, 4);
    }
  }
}

/** Counts the digits of all keys. */
function countDigits<T>(from: usize, end: usize, counts: usize): void {
  clear(counts, sizeof<T>() << 10);
  for (let pair = from; pair < end; pair += 2 * sizeof<T>()) {
    for (let place: usize = 0; place < sizeof<T>(); place += 4) {
      const key = load<u32>(pair + place) as usize;
      count(counts, place, key & 255);
      count(counts, place + 1, (key >> 8) & 255);
      count(counts, place + 2, (key >> 16) & 255);
      count(counts, place + 3, key >> 24);
    }
  }
}

/** Whether the key of a pair is larger than the key of another pair. */
@inline
function isBehind<T>(pair: usize, other: usize): bool {
  return sizeof<T>() == 8 ? load<u64>(pair) > load<u64>(other) : load<u32>(pair) > load<u32>(other);
}

/** Sorts pairs in place by insertion. */
function insert<T>(from: usize, end: usize, spare: usize): void {
  const size = 2 * sizeof<T>();
  for (let pair = from + size; pair < end; pair += size) {
    copyPair<T>(pair, spare);
    let place = pair;
    for (; place > from && isBehind<T>(place - size, spare); place -= size) copyPair<T>(place - size, place);
    copyPair<T>(spare, place);
  }
}

/** Largest number of elements for which insertion is faster than a radix sort. */
const MAX_INSERTION: i32 = 48;

/** Sorts the pairs of a row in descending order of its numbers; returns their address. */
function sort<T>(row: usize, bytes: usize): usize {
  const counts = spare;
  let from = counts + COUNT_BYTES;
  let to = from + 2 * width;
  const size = 2 * sizeof<T>();
  const all = (bytes / sizeof<T>()) as i32;
  pairUp<T>(row, bytes, from);
  if (all <= MAX_INSERTION) {
    insert<T>(from, from + 2 * bytes, to);
    return from;
  }
  countDigits<T>(from, from + 2 * bytes, counts);
  for (let place: usize = 0; place < sizeof<T>(); place++) {
    const table = counts + (place << 10);
    // All keys have the same digit.
    if (load<i32>(table + ((load<u8>(from + place) as usize) << 2)) == all) continue;
    let next = to;
    for (let at = table; at < table + 1024; at += 4) {
      const n = load<u32>(at) as usize;
      store<u32>(at, next as u32);
      next += n * size;
    }
    const end = from + 2 * bytes;
    for (let pair = from; pair < end; pair += size) {
      const at = table + ((load<u8>(pair + place) as usize) << 2);
      const target = load<u32>(at) as usize;
      store<u32>(at, (target + size) as u32);
      copyPair<T>(pair, target);
    }
    const sorted = to;
    to = from;
    from = sorted;
  }
  return from;
}

/**
 * Writes numbers and their exponentials in the order of the pairs. The padding holds ruled-out
 * classes.
 */
function arrange<T>(pairs: usize, bytes: usize, exponentials: usize, to: usize, toExponentials: usize): void {
  let i: usize = 0;
  for (; i < bytes; i += sizeof<T>()) {
    const pair = pairs + 2 * i;
    if (sizeof<T>() == 8) store<i64>(to + i, turned<i64>(load<i64>(pair)));
    else store<i32>(to + i, turned<i32>(load<i32>(pair)));
    store<T>(toExponentials + i, load<T>(exponentials + placeAt<T>(pair)));
  }
  for (; i < width; i += sizeof<T>()) {
    store<T>(to + i, -Infinity as T);
    store<T>(toExponentials + i, 0 as T);
  }
}

/** Writes each slope to the offset of its pair. Equal numbers share the mean of their slopes. */
function restore<T>(pairs: usize, sorted: usize, slopes: usize, to: usize): void {
  clear(to + stride, width - stride);
  let start: usize = 0;
  while (start < stride) {
    const number = load<T>(sorted + start);
    let slope = load<T>(slopes + start) as f64;
    let end = start + sizeof<T>();
    for (; end < stride && load<T>(sorted + end) == number; end += sizeof<T>()) slope += load<T>(slopes + end) as f64;
    slope *= (sizeof<T>() as f64) / ((end - start) as f64);
    for (; start < end; start += sizeof<T>()) store<T>(to + placeAt<T>(pairs + 2 * start), slope as T);
  }
}

/**
 * Returns the total variation of both sides in descending order; writes the slopes in the order of
 * the student's row.
 */
export function rankedVariation<T>(student: usize, teacher: usize, output: usize): f64 {
  const s = spare + COUNT_BYTES + 4 * width;
  const t = s + width;
  const q = t + width;
  const p = q + width;
  const slopes = p + width;
  const ownQ = qs;
  const ownP = ps;
  arrange<T>(sort<T>(teacher, teacherStride), teacherStride, ps, t, p);
  const pairs = sort<T>(student, stride);
  arrange<T>(pairs, stride, qs, s, q);
  selectExponentials(q, p);
  refer<TotalVariation, T>(s, t, slopes, width);
  const value = termOf<TotalVariation, T>(s, t, slopes, 0, width);
  selectExponentials(ownQ, ownP);
  if (output) restore<T>(pairs, s, slopes, output);
  return value;
}
