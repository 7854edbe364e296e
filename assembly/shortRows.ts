// The response loss where rows are short: side by side, one row in each lane, so that no lane is idle and no lane is
// summed up. Groups of as many rows as there are lanes go through together, some at a time: first all exponentials, then
// what is done once a row (logarithms, which have long chains of steps, but for many rows at once), then the gradients.
// It takes the careful way throughout; see response.ts for the formulas.

import { curveOf } from './curve';
import { constant, exp2, stepsToNat, unit } from './exp';
import { broadcast, larger, nmadd, splat, VECTOR } from './lanes';
import { logOfTwo, logOnePlusOfTwo } from './log';
import { hardBeside, NO_HARD, raised, scaled } from './softmax';

/** Rows of more columns than this are taken one by one; see SHORT where the kernels are called. */
const LONGEST: usize = 16;

/** Groups that go through together. */
const GROUPS: i32 = 8;

// What is kept of a column of a group, a vector each.
const STUDENT: usize = 0;
const TEACHER: usize = 16;
const Q: usize = 32;
const P: usize = 48;
const HARD: usize = 64;
const COLUMN: usize = 80;

// What is kept of a group, a vector each.
const STUDENT_MAX: usize = 0;
const TEACHER_MAX: usize = 16;
const Q_SUM: usize = 32;
const P_SUM: usize = 48;
const REST: usize = 64; // Σ of the exponentials at temperature 1, but for the label's
const AT_LABEL: usize = 80; // the label's
const HEIGHT: usize = 96; // its exponent, in steps
const ALONE: usize = 112; // all bits set where the student alone rules a class out
const LABEL: usize = 128;
const SHIFT: usize = 144;
const CROSS_ENTROPY: usize = 160; // in doubles, so two vectors
const GROUP: usize = 192;

// What is kept of the call, a number each.
const SCALE: usize = 0;
const HARD_SCALE: usize = 8;
const INVERSE: usize = 16;
const ONE: usize = 24;
const NEVER: usize = 32;
const SOFT_FACTOR_ALONE: usize = 40;
const SOFT_FACTOR: usize = 48;
const HARD_FACTOR: usize = 56;
const CALL: usize = 64;

let call: usize = 0;
let groups: usize = 0;
let columnsOfGroups: usize = 0;

export function placeShortRows(start: usize): usize {
  call = start;
  groups = call + CALL;
  columnsOfGroups = groups + GROUP * (GROUPS as usize);
  return columnsOfGroups + COLUMN * LONGEST * (GROUPS as usize);
}

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

/** One number from each of the rows. */
// @ts-ignore: decorator
@inline
function gather<T>(a: usize, b: usize, c: usize, d: usize): v128 {
  if (sizeof<T>() == 8) return v128.load64_lane(b, v128.load64_splat(a), 1);
  const left = v128.load32_lane(b, v128.load32_splat(a), 1);
  return v128.load32_lane(d, v128.load32_lane(c, left, 2), 3);
}

/** The labels of a group as numbers of its format; those beyond the last row are the first again. */
function labelsOf<T>(labels: usize, count: i32): v128 {
  const two = v128.load32_lane(labels + (1 < count ? 4 : 0), v128.load32_splat(labels), 1);
  if (sizeof<T>() == 8) return f64x2.convert_low_i32x4_s(two);
  const three = v128.load32_lane(labels + (2 < count ? 8 : 0), two, 2);
  return f32x4.convert_i32x4_s(v128.load32_lane(labels + (3 < count ? 12 : 0), three, 3));
}

/** Two lanes of a vector in memory, in doubles. */
// @ts-ignore: decorator
@inline
function loadPair<T>(pointer: usize): v128 {
  return sizeof<T>() == 8 ? v128.load(pointer) : f64x2.promote_low_f32x4(v128.load64_zero(pointer));
}

// @ts-ignore: decorator
@inline
function storePair<T>(pointer: usize, a: v128): void {
  if (sizeof<T>() == 8) v128.store(pointer, a);
  else v128.store64_lane(pointer, f32x4.demote_f64x2_zero(a), 0);
}

/** The exponentials of a group, and their sums. */
// @ts-ignore: decorator
@inline
function exponentials<T>(
  hard: i32,
  group: usize,
  from: usize,
  end: usize,
): void {
  const sMax = v128.load(group + STUDENT_MAX);
  const tMax = v128.load(group + TEACHER_MAX);
  const label = v128.load(group + LABEL);
  const c = take<T>(SCALE);
  const hardC = take<T>(HARD_SCALE);
  const one = take<T>(ONE);
  const never = take<T>(NEVER);
  const k0 = constant<T>(0);
  const k1 = constant<T>(1);
  const k2 = constant<T>(2);
  const k3 = constant<T>(3);
  const k4 = constant<T>(4);
  const k5 = constant<T>(5);
  const k6 = constant<T>(6);
  const lowest = constant<T>(7);
  const zero = splat<T>(0);
  let qSum = zero;
  let pSum = zero;
  let rest = zero;
  let atLabel = zero;
  let height = zero;
  let alone = zero;
  let column = zero;
  for (let i = from; i < end; i += COLUMN) {
    const s = v128.load(i + STUDENT);
    const t = v128.load(i + TEACHER);
    const sRuled = v128.eq<T>(s, never);
    const tRuled = v128.eq<T>(t, never);
    alone = v128.or(alone, v128.andnot(sRuled, tRuled));
    const x = scaled<T>(s, sMax, c);
    const y = scaled<T>(t, tMax, c);
    // A class that is ruled out has exactly 0.
    const q = v128.andnot(exp2<T>(larger<T>(x, lowest), k0, k1, k2, k3, k4, k5, k6), sRuled);
    const p = v128.andnot(exp2<T>(larger<T>(y, lowest), k0, k1, k2, k3, k4, k5, k6), tRuled);
    v128.store(i + Q, q);
    v128.store(i + P, p);
    qSum = v128.add<T>(qSum, q);
    pSum = v128.add<T>(pSum, p);
    if (hard == NO_HARD) continue;
    const isLabel = v128.eq<T>(column, label);
    let z = x;
    let e = q;
    if (hard > 0) {
      e = raised<T>(q, hard);
    } else {
      z = scaled<T>(s, sMax, hardC);
      e = v128.andnot(exp2<T>(larger<T>(z, lowest), k0, k1, k2, k3, k4, k5, k6), sRuled);
    }
    const other = v128.andnot(e, isLabel);
    rest = v128.add<T>(rest, other);
    atLabel = v128.or(atLabel, v128.and(e, isLabel));
    height = v128.or(height, v128.and(z, isLabel));
    v128.store(i + HARD, other);
    column = v128.add<T>(column, one);
  }
  v128.store(group + Q_SUM, qSum);
  v128.store(group + P_SUM, pSum);
  v128.store(group + ALONE, alone);
  v128.store(group + REST, rest);
  v128.store(group + AT_LABEL, atLabel);
  v128.store(group + HEIGHT, height);
}

/** Cross-entropies: log(1 + rest / e) where the label has most, else log Σ − x. */
// @ts-ignore: decorator
@inline
function crossEntropyOfTwo(rest: v128, e: v128, x: v128): v128 {
  const most = f64x2.lt(rest, e);
  const sumButOne = f64x2.sub(f64x2.add(rest, e), f64x2.splat(1));
  const above = v128.bitselect(f64x2.div(rest, e), sumButOne, most);
  return f64x2.sub(logOnePlusOfTwo(above), v128.andnot(x, most));
}

/** What is done once a row: log Σp − log Σq, and the cross-entropy. */
function onceARow<T>(count: i32, hard: i32, temperature: f64): void {
  const hardUnit = (hard > 0 ? temperature : 1) * unit<T>();
  for (let i = 0; i < count; i++) {
    const group = groups + GROUP * (i as usize);
    for (let pair: usize = 0; pair < VECTOR; pair += 2 * sizeof<T>()) {
      const place = group + pair;
      const ratio = f64x2.div(loadPair<T>(place + P_SUM), loadPair<T>(place + Q_SUM));
      storePair<T>(place + SHIFT, logOfTwo(ratio));
      if (hard == NO_HARD) continue;
      const x = f64x2.mul(loadPair<T>(place + HEIGHT), f64x2.splat(hardUnit));
      const loss = crossEntropyOfTwo(loadPair<T>(place + REST), loadPair<T>(place + AT_LABEL), x);
      v128.store(group + CROSS_ENTROPY + pair * (8 / sizeof<T>()), loss);
    }
  }
}

/** soft · divergence + hard · CE, where there is a label, else softAlone · divergence */
// @ts-ignore: decorator
@inline
function lossOfTwo(divergence: v128, crossEntropy: v128, isAlone: v128, softAlone: f64, soft: f64, hard: f64): v128 {
  const both = f64x2.add(f64x2.mul(divergence, f64x2.splat(soft)), f64x2.mul(crossEntropy, f64x2.splat(hard)));
  return v128.bitselect(f64x2.mul(divergence, f64x2.splat(softAlone)), both, isAlone);
}

/**
 * The divergences of a group; q − p takes the place of q, and p is divided by its sum. Returns Σ (q − p), which would be
 * 0 if no digit had been lost.
 */
// @ts-ignore: decorator
@inline
function divergences<T>(group: usize, from: usize, end: usize): v128 {
  const one = take<T>(ONE);
  const inverse = take<T>(INVERSE);
  const zero = splat<T>(0);
  const sMax = v128.load(group + STUDENT_MAX);
  const tMax = v128.load(group + TEACHER_MAX);
  const apart = v128.sub<T>(sMax, tMax);
  const half = v128.mul<T>(larger<T>(v128.abs<T>(sMax), v128.abs<T>(tMax)), splat<T>(0.5));
  const isNear = v128.lt<T>(v128.abs<T>(apart), larger<T>(half, one));
  const sZero = v128.andnot(sMax, isNear);
  const tZero = v128.andnot(tMax, isNear);
  const qInverse = v128.div<T>(one, v128.load(group + Q_SUM));
  const pInverse = v128.div<T>(one, v128.load(group + P_SUM));
  const shift = nmadd<T>(v128.and(apart, isNear), inverse, v128.load(group + SHIFT));
  let divergence = zero;
  let excess = zero;
  for (let i = from; i < end; i += COLUMN) {
    const q = v128.mul<T>(v128.load(i + Q), qInverse);
    const p = v128.mul<T>(v128.load(i + P), pInverse);
    const x = v128.sub<T>(v128.load(i + STUDENT), sZero);
    const y = v128.sub<T>(v128.load(i + TEACHER), tZero);
    const d = v128.add<T>(v128.mul<T>(v128.sub<T>(x, y), inverse), shift);
    const d2 = v128.mul<T>(d, d);
    const isClose = v128.lt<T>(d2, one);
    const curve = curveOf<T>(d, d2);
    const far = v128.sub<T>(q, p);
    // Where the teacher rules a class out, p · δ is 0, whatever δ.
    const farTerm = nmadd<T>(p, v128.and(d, v128.gt<T>(p, zero)), far);
    divergence = v128.add<T>(divergence, v128.bitselect(v128.mul<T>(p, curve), farTerm, isClose));
    const difference = v128.bitselect(v128.mul<T>(p, v128.add<T>(curve, d)), far, isClose);
    excess = v128.add<T>(excess, difference);
    v128.store(i + Q, difference);
    v128.store(i + P, p);
  }
  divergence = v128.sub<T>(divergence, v128.mul<T>(splat<T>(0.5), v128.mul<T>(excess, excess)));
  v128.store(group + Q_SUM, v128.or(larger<T>(divergence, zero), v128.load(group + ALONE)));
  return excess;
}

/** Writes the gradients of a group of `count` rows, a stride apart. */
// @ts-ignore: decorator
@inline
function writeGradients<T>(
  hard: i32,
  group: usize,
  from: usize,
  end: usize,
  excess: v128,
  gradient: usize,
  stride: usize,
  count: i32,
): void {
  const one = take<T>(ONE);
  const zero = splat<T>(0);
  const label = v128.load(group + LABEL);
  const rest = v128.load(group + REST);
  const isAlone = v128.lt<T>(label, zero);
  const soft = v128.bitselect(take<T>(SOFT_FACTOR_ALONE), take<T>(SOFT_FACTOR), isAlone);
  const share = v128.div<T>(soft, v128.add<T>(one, excess));
  const spare = v128.mul<T>(share, excess);
  const sum = v128.add<T>(rest, v128.load(group + AT_LABEL));
  const hardFactor = v128.andnot(v128.div<T>(take<T>(HARD_FACTOR), sum), isAlone);
  const minusRest = v128.neg<T>(rest);
  let column = zero;
  let a = gradient;
  for (let i = from; i < end; i += COLUMN) {
    let value = v128.mul<T>(v128.load(i + Q), share);
    value = nmadd<T>(v128.load(i + P), spare, value);
    if (hard != NO_HARD) {
      const e = v128.or(v128.load(i + HARD), v128.and(minusRest, v128.eq<T>(column, label)));
      value = v128.add<T>(value, v128.mul<T>(e, hardFactor));
      column = v128.add<T>(column, one);
    }
    if (sizeof<T>() == 8) {
      v128.store64_lane(a, value, 0);
      if (count > 1) v128.store64_lane(a + stride, value, 1);
    } else {
      v128.store32_lane(a, value, 0);
      if (count > 1) v128.store32_lane(a + stride, value, 1);
      if (count > 2) v128.store32_lane(a + 2 * stride, value, 2);
      if (count > 3) v128.store32_lane(a + 3 * stride, value, 3);
    }
    a += sizeof<T>();
  }
}

/**
 * Losses and gradients of rows that follow each other, as `response` has them; behind `losses` there is room for three
 * more than there are rows.
 */
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
  const hard = labels == 0 || alpha == 0 ? NO_HARD : hardBeside(temperature);
  const softWeight = (1 - alpha) * temperatureFactor;
  keep<T>(SCALE, stepsToNat<T>() / temperature);
  keep<T>(HARD_SCALE, stepsToNat<T>());
  keep<T>(INVERSE, 1 / temperature);
  keep<T>(ONE, 1);
  keep<T>(NEVER, -Infinity);
  keep<T>(SOFT_FACTOR_ALONE, (temperatureFactor / temperature) * outer);
  keep<T>(SOFT_FACTOR, (softWeight / temperature) * outer);
  keep<T>(HARD_FACTOR, alpha * outer);
  for (let first = 0; first < rows; first += GROUPS * lanes) {
    const count = min(GROUPS, (rows - first + lanes - 1) / lanes);
    for (let i = 0; i < count; i++) {
      const row = first + i * lanes;
      const left = min(lanes, rows - row);
      const group = groups + GROUP * (i as usize);
      const from = columnsOfGroups + COLUMN * LONGEST * (i as usize);
      const end = from + COLUMN * (columns as usize);
      v128.store(group + LABEL, labels ? labelsOf<T>(labels + ((row as usize) << 2), left) : splat<T>(-1));
      // Rows beyond the last are the last again.
      const second: usize = 1 < left ? stride : 0;
      const third: usize = 2 < left ? 2 * stride : second;
      const fourth: usize = 3 < left ? 3 * stride : third;
      let a = student + (row as usize) * stride;
      let b = teacher + (row as usize) * stride;
      let sMax = splat<T>(-Infinity);
      let tMax = sMax;
      for (let j = from; j < end; j += COLUMN) {
        const s = gather<T>(a, a + second, a + third, a + fourth);
        const t = gather<T>(b, b + second, b + third, b + fourth);
        v128.store(j + STUDENT, s);
        v128.store(j + TEACHER, t);
        sMax = larger<T>(s, sMax);
        tMax = larger<T>(t, tMax);
        a += sizeof<T>();
        b += sizeof<T>();
      }
      v128.store(group + STUDENT_MAX, sMax);
      v128.store(group + TEACHER_MAX, tMax);
      // The commonest cases have a loop of their own, in which nothing is decided.
      if (hard == NO_HARD) exponentials<T>(NO_HARD, group, from, end);
      else if (hard == 3) exponentials<T>(3, group, from, end);
      else exponentials<T>(hard, group, from, end);
    }
    onceARow<T>(count, hard, temperature);
    for (let i = 0; i < count; i++) {
      const row = first + i * lanes;
      const left = min(lanes, rows - row);
      const group = groups + GROUP * (i as usize);
      const from = columnsOfGroups + COLUMN * LONGEST * (i as usize);
      const end = from + COLUMN * (columns as usize);
      const excess = divergences<T>(group, from, end);
      const isAlone = v128.lt<T>(v128.load(group + LABEL), splat<T>(0));
      const place = losses + ((row as usize) << 3);
      const low = sizeof<T>() == 8 ? isAlone : i64x2.extend_low_i32x4_s(isAlone);
      const lossOfLow = lossOfTwo(
        loadPair<T>(group + Q_SUM), v128.load(group + CROSS_ENTROPY), low, temperatureFactor, softWeight, alpha,
      );
      v128.store(place, lossOfLow);
      if (sizeof<T>() == 4) {
        const high = i64x2.extend_high_i32x4_s(isAlone);
        const lossOfHigh = lossOfTwo(
          loadPair<T>(group + Q_SUM + 8), v128.load(group + CROSS_ENTROPY + 16), high, temperatureFactor, softWeight, alpha,
        );
        v128.store(place + 16, lossOfHigh);
      }
      if (gradient == 0) continue;
      const target = gradient + (row as usize) * stride;
      writeGradients<T>(hard, group, from, end, excess, target, stride, left);
    }
  }
}
