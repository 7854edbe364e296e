// The gradient of a row, from the exponentials that were kept as it was read.

import { curveOf } from './curve';
import { unit } from './exp';
import { larger, largest, madd, nmadd, smaller, smallest, splat, sum, VECTOR } from './lanes';
import { log } from './log';
import {
  BLOCK, EXCESS, FACTOR, GAP, hard, HARD_FACTOR, hards, hardSum, hardWeight, keep, labelPlace,
  ONE, P_FACTOR, ps, pSum, pWeight, Q_FACTOR, qs, qSum, qWeight, RECORD, records, REST, RUN, scale, soft,
  STUDENT_ZERO, studentMax, take, TEACHER_ZERO, teacherMax, UNIT, width,
} from './row';
import { BY_ITSELF, NO_HARD, raised } from './softmax';

/** Σ (q − p) as the careful pass found it. */
let excess: f64 = 0;

/** gradient = q · (soft / Σq) − p · (soft / Σp) + e · (hard / Σe) of a block; returns the largest size of an entry. */
// @ts-ignore: decorator
@inline
function plainLoop<T>(soft: bool, hard: i32, gradient: usize, offset: usize, bytes: usize): f64 {
  const a = take<T>(Q_FACTOR);
  const b = take<T>(P_FACTOR);
  const c = take<T>(HARD_FACTOR);
  let most = splat<T>(0);
  let least = most;
  for (let i = offset; i < offset + bytes; i += VECTOR) {
    let value = splat<T>(0);
    if (soft) {
      const q = v128.load(qs + i);
      value = nmadd<T>(v128.load(ps + i), b, v128.mul<T>(q, a));
      if (hard > 0) value = madd<T>(raised<T>(q, hard), c, value);
      if (hard == BY_ITSELF) value = madd<T>(v128.load(hards + i), c, value);
    } else {
      value = v128.mul<T>(v128.load(hards + i), c);
    }
    v128.store(gradient + i, value);
    most = larger<T>(value, most);
    least = smaller<T>(value, least);
  }
  return max(largest<T>(most), -smallest<T>(least));
}

export function plainGradient<T>(gradient: usize, softFactor: f64, hardFactor: f64): f64 {
  let size: f64 = 0;
  for (let offset: usize = 0; offset < width; offset += BLOCK) {
    const record = records + RECORD * (offset / BLOCK);
    const bytes = min(BLOCK, width - offset);
    if (soft) {
      keep<T>(Q_FACTOR, (softFactor / qSum) * qWeight<T>(record));
      keep<T>(P_FACTOR, (softFactor / pSum) * pWeight<T>(record));
    }
    if (hard != NO_HARD) keep<T>(HARD_FACTOR, (hardFactor / hardSum) * hardWeight<T>(record));
    let here: f64 = 0;
    if (!soft) here = plainLoop<T>(false, BY_ITSELF, gradient, offset, bytes);
    else if (hard == NO_HARD) here = plainLoop<T>(true, NO_HARD, gradient, offset, bytes);
    else if (hard == 1) here = plainLoop<T>(true, 1, gradient, offset, bytes);
    else if (hard == 2) here = plainLoop<T>(true, 2, gradient, offset, bytes);
    else if (hard == 3) here = plainLoop<T>(true, 3, gradient, offset, bytes);
    else if (hard == 4) here = plainLoop<T>(true, 4, gradient, offset, bytes);
    else here = plainLoop<T>(true, BY_ITSELF, gradient, offset, bytes);
    size = max(size, here);
  }
  return size;
}

/**
 * The soft term where q and p are close: with δ = log q − log p, q − p is p (e^δ − 1) and the divergence is
 * Σ p (e^δ − 1 − δ), in which nothing cancels. Writes factor · (q − p) and returns the divergence.
 *
 * δ takes the difference of two logarithms of sums, and in their last digits all of it may be lost. But q − p has to sum
 * to 0: what it sums to, `excess`, says how much δ is too large.
 */
export function carefulSoft<T>(student: usize, teacher: usize, gradient: usize, factor: f64): f64 {
  // δ = (student − teacher − gap) / T + rest, where the gap is such that for δ near 0 the bracket is exact: the nearer
  // two numbers, the more exact their difference. So too, first, for sides that are far apart as a whole.
  const apart = abs(studentMax - teacherMax);
  const isNear = apart < 1 || apart < 0.5 * max(abs(studentMax), abs(teacherMax));
  const studentZero = isNear ? 0 : studentMax;
  const teacherZero = isNear ? 0 : teacherMax;
  const nats = (scale * unit<T>()) as T as f64;
  const shift = log(pSum / qSum) + (isNear ? (teacherMax - studentMax) * nats : 0);
  const gap = (-shift / nats) as T as f64;
  let divergence: f64 = 0;
  excess = 0;
  for (let offset: usize = 0; offset < width; offset += BLOCK) {
    const record = records + RECORD * (offset / BLOCK);
    keep<T>(STUDENT_ZERO, studentZero);
    keep<T>(TEACHER_ZERO, teacherZero);
    keep<T>(Q_FACTOR, qWeight<T>(record) / qSum);
    keep<T>(P_FACTOR, pWeight<T>(record) / pSum);
    keep<T>(UNIT, nats);
    keep<T>(GAP, gap);
    keep<T>(REST, shift + gap * nats);
    keep<T>(FACTOR, factor);
    keep<T>(ONE, 1);
    const sZero = take<T>(STUDENT_ZERO);
    const tZero = take<T>(TEACHER_ZERO);
    const a = take<T>(Q_FACTOR);
    const b = take<T>(P_FACTOR);
    const c = take<T>(UNIT);
    const gaps = take<T>(GAP);
    const rests = take<T>(REST);
    const factors = take<T>(FACTOR);
    const one = take<T>(ONE);
    const zero = splat<T>(0);
    let i = offset;
    while (i < min(offset + BLOCK, width)) {
      const end = min(i + RUN, width);
      let sums = zero;
      let excesses = zero;
      for (; i < end; i += VECTOR) {
        const q = v128.mul<T>(v128.load(qs + i), a);
        const p = v128.mul<T>(v128.load(ps + i), b);
        const x = v128.sub<T>(v128.load(student + i), sZero);
        const y = v128.sub<T>(v128.load(teacher + i), tZero);
        const d = madd<T>(v128.sub<T>(v128.sub<T>(x, y), gaps), c, rests);
        const d2 = v128.mul<T>(d, d);
        const isClose = v128.lt<T>(d2, one);
        const curve = curveOf<T>(d, d2);
        const far = v128.sub<T>(q, p);
        // Where the teacher rules a class out, p · δ is 0, whatever δ.
        const farTerm = nmadd<T>(p, v128.and(d, v128.gt<T>(p, zero)), far);
        sums = v128.add<T>(sums, v128.bitselect(v128.mul<T>(p, curve), farTerm, isClose));
        const difference = v128.bitselect(v128.mul<T>(p, v128.add<T>(curve, d)), far, isClose);
        excesses = v128.add<T>(excesses, difference);
        v128.store(gradient + i, v128.mul<T>(difference, factors));
      }
      divergence += sum<T>(sums);
      excess += sum<T>(excesses);
    }
  }
  return max(divergence - 0.5 * excess * excess, 0);
}

/** gradient −= excess · factor · q of the soft term (where factor · q = gradient + factor · p), + e · hardFactor of the hard one */
function finishCareful<T>(gradient: usize, factor: f64, hardFactor: f64): void {
  for (let offset: usize = 0; offset < width; offset += BLOCK) {
    const record = records + RECORD * (offset / BLOCK);
    keep<T>(EXCESS, excess);
    keep<T>(P_FACTOR, (factor * pWeight<T>(record)) / pSum);
    keep<T>(HARD_FACTOR, hard == NO_HARD ? 0 : (hardFactor / hardSum) * hardWeight<T>(record));
    const a = take<T>(EXCESS);
    const b = take<T>(P_FACTOR);
    const c = take<T>(HARD_FACTOR);
    for (let i = offset; i < min(offset + BLOCK, width); i += VECTOR) {
      const rough = v128.load(gradient + i);
      let value = nmadd<T>(a, madd<T>(v128.load(ps + i), b, rough), rough);
      if (hard == BY_ITSELF) value = madd<T>(v128.load(hards + i), c, value);
      else if (hard != NO_HARD) value = madd<T>(raised<T>(v128.load(qs + i), hard), c, value);
      v128.store(gradient + i, value);
    }
  }
}

/** The gradient of a row; the careful soft term, where `isClose`, is written already. */
export function writeGradient<T>(
  student: usize,
  teacher: usize,
  gradient: usize,
  label: i32,
  isClose: bool,
  softFactor: f64,
  hardFactor: f64,
  hardLabel: f64,
): void {
  const place = labelPlace<T>(label);
  const record = records + RECORD * (place / BLOCK);
  if (!isClose) {
    let value: f64 = 0;
    let q = 0 as T;
    let p = 0 as T;
    let e = 0 as T;
    // The label's entry is made by itself: q − 1 would have lost digits.
    if (hard != NO_HARD) {
      if (soft) {
        q = load<T>(qs + place);
        p = load<T>(ps + place);
        const qShare = (qWeight<T>(record) * (q as f64)) / qSum;
        value = softFactor * (qShare - (pWeight<T>(record) * (p as f64)) / pSum);
        store<T>(qs + place, 0 as T);
        store<T>(ps + place, 0 as T);
      }
      e = load<T>(hards + place);
      store<T>(hards + place, 0 as T);
      value += hardFactor * hardLabel;
    }
    let size = plainGradient<T>(gradient, softFactor, hardFactor);
    if (hard != NO_HARD) {
      store<T>(gradient + place, value as T);
      size = max(size, abs(value));
      store<T>(hards + place, e);
    }
    if (!soft) return;
    let term = max(softFactor / qSum, softFactor / pSum);
    if (hard != NO_HARD) {
      term = max(term, hardFactor / hardSum);
      store<T>(qs + place, q);
      store<T>(ps + place, p);
    }
    if (size >= 0.5 * term) return;
    carefulSoft<T>(student, teacher, gradient, softFactor);
  }
  if (hard == NO_HARD) {
    finishCareful<T>(gradient, softFactor, 0);
    return;
  }
  store<T>((hard == BY_ITSELF ? hards : qs) + place, 0 as T);
  finishCareful<T>(gradient, softFactor, hardFactor);
  store<T>(gradient + place, ((load<T>(gradient + place) as f64) + hardFactor * hardLabel) as T);
}
