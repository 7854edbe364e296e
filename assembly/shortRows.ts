// The response loss where rows are short: side by side, one row in each lane, so that no lane is idle, no lane is
// summed up, and what a row costs once (logarithms, divisions) is paid for all lanes together. It takes the careful way
// throughout; see response.ts for the formulas.

import { curveOf } from './curve';
import { constant, exp2, steps, unit } from './exp';
import { broadcast, larger, nmadd, splat, VECTOR } from './lanes';
import { logOfTwo, logOnePlusOfTwo } from './log';
import { LARGEST_POWER, raised, scaled } from './softmax';

/** Rows of more columns than this are taken one by one. */
export const LONGEST: i32 = 48;

/** Room for a vector a column. */
const SIDE: usize = 48 * 16;

// Students, teachers, q, p, and exponentials at temperature 1.
let students: usize = 0;
let teachers: usize = 0;
let qs: usize = 0;
let ps: usize = 0;
let hards: usize = 0;
let call: usize = 0;

export function placeShortRows(start: usize): usize {
  students = start;
  teachers = students + SIDE;
  qs = teachers + SIDE;
  ps = qs + SIDE;
  hards = ps + SIDE;
  call = hards + SIDE;
  return call + CALL;
}

// Of the call, a number each.
const SCALE: usize = 0;
const HARD_SCALE: usize = 8;
const INVERSE: usize = 16;
const ONE: usize = 24;
const NEVER: usize = 32;
const SOFT_ALONE: usize = 40;
const SOFT: usize = 48;
const HARD: usize = 56;
const CALL: usize = 64;

// @ts-ignore: decorator
@inline
function keep<T>(place: usize, value: f64): void {
  store<T>(call + place, value as T);
}

// @ts-ignore: decorator
@inline
function take<T>(place: usize): v128 {
  return broadcast<T>(call + place);
}

/** One number from each of the rows: those beyond the last are the last again. */
// @ts-ignore: decorator
@inline
function gather<T>(a: usize, b: usize, c: usize, d: usize): v128 {
  if (sizeof<T>() == 8) return v128.load64_lane(b, v128.load64_splat(a), 1);
  const left = v128.load32_lane(b, v128.load32_splat(a), 1);
  return v128.load32_lane(d, v128.load32_lane(c, left, 2), 3);
}

/** The first two lanes in doubles. */
// @ts-ignore: decorator
@inline
function low<T>(a: v128): v128 {
  return sizeof<T>() == 8 ? a : f64x2.promote_low_f32x4(a);
}

/** The last two lanes in doubles; for doubles there are no others than the first. */
// @ts-ignore: decorator
@inline
function high<T>(a: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(a, a, 2, 3, 2, 3));
}

/** What `low` and `high` were made of. */
// @ts-ignore: decorator
@inline
function join<T>(low: v128, high: v128): v128 {
  if (sizeof<T>() == 8) return low;
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

/** Cross-entropies: log(1 + rest / e) where the label has most, else log Σ − x. */
function crossEntropyOfTwo(rest: v128, e: v128, x: v128): v128 {
  const most = f64x2.lt(rest, e);
  const sumButOne = f64x2.sub(f64x2.add(rest, e), f64x2.splat(1));
  const above = v128.bitselect(f64x2.div(rest, e), sumButOne, most);
  return f64x2.sub(logOnePlusOfTwo(above), v128.andnot(x, most));
}

/** soft · divergence + hard · CE, where there is a label, else softAlone · divergence */
function lossOfTwo(
  divergence: v128,
  crossEntropy: v128,
  isAlone: v128,
  softAlone: f64,
  soft: f64,
  hard: f64,
): v128 {
  const both = f64x2.add(
    f64x2.mul(divergence, f64x2.splat(soft)),
    f64x2.mul(crossEntropy, f64x2.splat(hard)),
  );
  return v128.bitselect(f64x2.mul(divergence, f64x2.splat(softAlone)), both, isAlone);
}

export function responseOfShortRows<T>(
  student: usize,
  teacher: usize,
  gradient: usize,
  labels: usize,
  losses: usize,
  rows: i32,
  columns: i32,
  temperature: f64,
  temperatureFactor: f64,
  alpha: f64,
  outer: f64,
): void {
  const lanes: i32 = 16 / sizeof<T>();
  const stride = (columns as usize) * sizeof<T>();
  const end = (columns as usize) * VECTOR;
  const octaves = steps<T>() * 1.4426950408889634;
  const isPower = temperature <= LARGEST_POWER && temperature == floor(temperature);
  const hard = labels == 0 || alpha == 0 ? 0 : isPower ? (temperature as i32) : -1;
  const hardUnit = (hard > 0 ? temperature : 1) * unit<T>();
  keep<T>(SCALE, octaves / temperature);
  keep<T>(HARD_SCALE, octaves);
  keep<T>(INVERSE, 1 / temperature);
  keep<T>(ONE, 1);
  keep<T>(NEVER, -Infinity);
  const softWeight = (1 - alpha) * temperatureFactor;
  keep<T>(SOFT_ALONE, (temperatureFactor / temperature) * outer);
  keep<T>(SOFT, (softWeight / temperature) * outer);
  keep<T>(HARD, alpha * outer);
  for (let row = 0; row < rows; row += lanes) {
    const count = min(lanes, rows - row);
    const offset = (row as usize) * stride;
    // The logits, and the largest of each row.
    const second: usize = 1 < count ? stride : 0;
    const third: usize = 2 < count ? 2 * stride : second;
    const fourth: usize = 3 < count ? 3 * stride : third;
    let label = splat<T>(-1);
    if (labels) {
      const a = labels + ((row as usize) << 2);
      const classes = v128.load32_lane(a + (1 < count ? 4 : 0), v128.load32_splat(a), 1);
      if (sizeof<T>() == 8) {
        label = f64x2.convert_low_i32x4_s(classes);
      } else {
        const three = v128.load32_lane(a + (2 < count ? 8 : 0), classes, 2);
        label = f32x4.convert_i32x4_s(v128.load32_lane(a + (3 < count ? 12 : 0), three, 3));
      }
    }
    let sMax = splat<T>(-Infinity);
    let tMax = sMax;
    for (let i: usize = 0, a = student + offset, b = teacher + offset; i < end; i += VECTOR) {
      const s = gather<T>(a, a + second, a + third, a + fourth);
      const t = gather<T>(b, b + second, b + third, b + fourth);
      v128.store(students + i, s);
      v128.store(teachers + i, t);
      sMax = larger<T>(s, sMax);
      tMax = larger<T>(t, tMax);
      a += sizeof<T>();
      b += sizeof<T>();
    }

    // The exponentials and their sums; a class that is ruled out has exactly 0.
    const c = take<T>(SCALE);
    const hardC = take<T>(HARD_SCALE);
    const k0 = constant<T>(0);
    const k1 = constant<T>(1);
    const k2 = constant<T>(2);
    const k3 = constant<T>(3);
    const k4 = constant<T>(4);
    const k5 = constant<T>(5);
    const k6 = constant<T>(6);
    const lowest = constant<T>(7);
    const zero = splat<T>(0);
    const one = take<T>(ONE);
    const never = take<T>(NEVER);
    let qSum = zero;
    let pSum = zero;
    let rest = zero;
    let atLabel = zero;
    let height = zero;
    let alone = zero;
    let column = zero;
    for (let i: usize = 0; i < end; i += VECTOR) {
      const s = v128.load(students + i);
      const t = v128.load(teachers + i);
      const sRuled = v128.eq<T>(s, never);
      const tRuled = v128.eq<T>(t, never);
      alone = v128.or(alone, v128.andnot(sRuled, tRuled));
      const x = scaled<T>(s, sMax, c);
      const y = scaled<T>(t, tMax, c);
      const q = v128.andnot(exp2<T>(larger<T>(x, lowest), k0, k1, k2, k3, k4, k5, k6), sRuled);
      const p = v128.andnot(exp2<T>(larger<T>(y, lowest), k0, k1, k2, k3, k4, k5, k6), tRuled);
      v128.store(qs + i, q);
      v128.store(ps + i, p);
      qSum = v128.add<T>(qSum, q);
      pSum = v128.add<T>(pSum, p);
      if (hard != 0) {
        const isLabel = v128.eq<T>(column, label);
        let z = x;
        let e = q;
        if (hard > 0) {
          e = raised<T>(q, hard);
        } else {
          z = scaled<T>(s, sMax, hardC);
          e = v128.andnot(exp2<T>(larger<T>(z, lowest), k0, k1, k2, k3, k4, k5, k6), sRuled);
        }
        rest = v128.add<T>(rest, v128.andnot(e, isLabel));
        atLabel = v128.or(atLabel, v128.and(e, isLabel));
        height = v128.or(height, v128.and(z, isLabel));
        v128.store(hards + i, v128.andnot(e, isLabel));
        column = v128.add<T>(column, one);
      }
    }
    // What is done once a row, in doubles.
    const isNear = v128.lt<T>(v128.abs<T>(v128.sub<T>(sMax, tMax)), one);
    const apart = v128.and(v128.mul<T>(v128.sub<T>(tMax, sMax), take<T>(INVERSE)), isNear);
    let shift = f64x2.add(logOfTwo(f64x2.div(low<T>(pSum), low<T>(qSum))), low<T>(apart));
    let shiftHigh = shift;
    let crossEntropy = shift;
    let crossEntropyHigh = shift;
    if (sizeof<T>() == 4) {
      shiftHigh = f64x2.add(logOfTwo(f64x2.div(high<T>(pSum), high<T>(qSum))), high<T>(apart));
    }
    if (hard != 0) {
      const x = v128.mul<T>(height, splat<T>(hardUnit));
      crossEntropy = crossEntropyOfTwo(low<T>(rest), low<T>(atLabel), low<T>(x));
      if (sizeof<T>() == 4) {
        crossEntropyHigh = crossEntropyOfTwo(high<T>(rest), high<T>(atLabel), high<T>(x));
      }
    }
    // δ = log q − log p, and from it the divergence and q − p.
    const qInverse = v128.div<T>(one, qSum);
    const pInverse = v128.div<T>(one, pSum);
    const shifts = join<T>(shift, shiftHigh);
    const sZero = v128.andnot(sMax, isNear);
    const tZero = v128.andnot(tMax, isNear);
    const inverse = take<T>(INVERSE);
    let divergence = zero;
    let excess = zero;
    for (let i: usize = 0; i < end; i += VECTOR) {
      const q = v128.mul<T>(v128.load(qs + i), qInverse);
      const p = v128.mul<T>(v128.load(ps + i), pInverse);
      const x = v128.sub<T>(v128.load(students + i), sZero);
      const y = v128.sub<T>(v128.load(teachers + i), tZero);
      const d = v128.add<T>(v128.mul<T>(v128.sub<T>(x, y), inverse), shifts);
      const isClose = v128.lt<T>(v128.abs<T>(d), one);
      const curve = curveOf<T>(d);
      const far = v128.sub<T>(q, p);
      const farTerm = nmadd<T>(p, v128.and(d, v128.gt<T>(p, zero)), far);
      divergence = v128.add<T>(divergence, v128.bitselect(v128.mul<T>(p, curve), farTerm, isClose));
      const difference = v128.bitselect(v128.mul<T>(p, v128.add<T>(curve, d)), far, isClose);
      excess = v128.add<T>(excess, difference);
      v128.store(qs + i, difference);
      v128.store(ps + i, p);
    }
    // A class that the student alone rules out makes the loss NaN: all bits set.
    divergence = v128.sub<T>(divergence, v128.mul<T>(splat<T>(0.5), v128.mul<T>(excess, excess)));
    divergence = v128.or(larger<T>(divergence, zero), alone);
    const isAlone = v128.lt<T>(label, zero);
    const place = losses + ((row as usize) << 3);
    const alones = sizeof<T>() == 8 ? isAlone : i64x2.extend_low_i32x4_s(isAlone);
    v128.store(place, lossOfTwo(low<T>(divergence), crossEntropy, alones, temperatureFactor, softWeight, alpha));
    if (sizeof<T>() == 4) {
      const alonesHigh = i64x2.extend_high_i32x4_s(isAlone);
      v128.store(place + 16, lossOfTwo(high<T>(divergence), crossEntropyHigh, alonesHigh, temperatureFactor, softWeight, alpha));
    }
    if (gradient == 0) continue;

    const soft = v128.bitselect(take<T>(SOFT_ALONE), take<T>(SOFT), isAlone);
    const share = v128.div<T>(soft, v128.add<T>(one, excess));
    const spare = v128.mul<T>(share, excess);
    const hardShare = v128.div<T>(take<T>(HARD), v128.add<T>(rest, atLabel));
    const hardFactor = v128.andnot(hardShare, isAlone);
    const minusRest = v128.neg<T>(rest);
    column = zero;
    for (let i: usize = 0, a = gradient + offset; i < end; i += VECTOR) {
      let value = v128.mul<T>(v128.load(qs + i), share);
      value = nmadd<T>(v128.load(ps + i), spare, value);
      if (hard != 0) {
        const e = v128.or(v128.load(hards + i), v128.and(minusRest, v128.eq<T>(column, label)));
        value = v128.add<T>(value, v128.mul<T>(e, hardFactor));
        column = v128.add<T>(column, one);
      }
      if (sizeof<T>() == 8) {
        v128.store64_lane(a, value, 0);
        if (count > 1) v128.store64_lane(a + second, value, 1);
      } else {
        v128.store32_lane(a, value, 0);
        if (count > 1) v128.store32_lane(a + second, value, 1);
        if (count > 2) v128.store32_lane(a + third, value, 2);
        if (count > 3) v128.store32_lane(a + fourth, value, 3);
      }
      a += sizeof<T>();
    }
  }
}
