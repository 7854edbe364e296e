// The response loss of rows of logits, and its gradient:
//
//     (1 − α) · w · KL(p ‖ q) + α · CE,   p = softmax(teacher / T), q = softmax(student / T), CE at T = 1
//
// A row is read in blocks that stay in the first-level cache. Of each block: the largest logit on either side, then
// all exponentials, which are kept, and their sums. When the row is through, the sums give the loss, and a second pass
// over the exponentials gives the gradient; it needs no further ones.
//
// Where digits cancel (q close to p) the second pass is another, careful one. Where a number is out of the ordinary
// (NaN, ruled out on one side alone, too large for the format) the loss of the row comes out NaN, and its gradient
// means nothing: the caller has other means for such rows.

import { constant, exp2, power, steps, unit } from './exp';
import { curveOf } from './curve';
import { broadcast, first, larger, largest, madd, nmadd, smaller, smallest, splat, sum, VECTOR } from './lanes';
import { log, logOnePlus } from './log';
import { LARGEST_POWER, raised, scaled } from './softmax';

/** Bytes of one side of a block. */
const BLOCK: usize = 4096;

/** Bytes that are summed by themselves: many short sums lose fewer digits than a long one. */
const RUN: usize = 256;

// Where the hard term has its exponentials from; from 1 on, it is that power of the student's soft ones (T whole).
const NO_HARD: i32 = 0;
const BY_ITSELF: i32 = -1;

/** A divergence below this many nats has lost digits. */
const CANCELS: f64 = 0.25;

// What a loop keeps in registers stands here, 8 bytes apart; see `broadcast`.
let kept: usize = 0;
const STUDENT: usize = 0;
const TEACHER: usize = 8;
const HARD: usize = 16;
const SCALE: usize = 24;
const HARD_SCALE: usize = 32;
const UNIT: usize = 40;
const REST: usize = 48;
const FACTOR: usize = 56;
const LOW_STUDENT: usize = 64;
const LOW_TEACHER: usize = 72;
const Q_FACTOR: usize = 80;
const P_FACTOR: usize = 88;
const ONE: usize = 96;
const GAP: usize = 104;
const KEPT: usize = 112;

// A block as it was read: its largest logits, and the sums of its exponentials below them.
const STUDENT_MAX: usize = 0;
const TEACHER_MAX: usize = 8;
const Q_SUM: usize = 16;
const P_SUM: usize = 24;
const HARD_SUM: usize = 32;
/** Σ p · (teacher − student), in steps. */
const DOT: usize = 40;
const RECORD: usize = 48;

// Where a row is worked on.
let cleanStudent: usize = 0;
let cleanTeacher: usize = 0;
let records: usize = 0;
let qs: usize = 0;
let ps: usize = 0;
let hards: usize = 0;

// The call.
let width: usize = 0; // bytes of a row
let scale: f64 = 0; // steps to a unit of a logit, at the temperature
let hardScale: f64 = 0; // … and at 1

// The row: which terms it has, and what its blocks make together.
let soft: bool = false;
let hard: i32 = NO_HARD;
let studentMax: f64 = 0;
let teacherMax: f64 = 0;
let qSum: f64 = 0;
let pSum: f64 = 0;
let hardSum: f64 = 0;
let dot: f64 = 0;
let excess: f64 = 0;

/** Claims the memory in which rows of up to so many bytes are worked on, and returns where it ends. */
export function placeResponse(start: usize, bytes: usize): usize {
  kept = start;
  cleanStudent = kept + KEPT;
  cleanTeacher = cleanStudent + BLOCK;
  qs = cleanTeacher + BLOCK;
  ps = qs + bytes;
  hards = ps + bytes;
  records = hards + bytes;
  return records + RECORD * ((bytes + BLOCK - 1) / BLOCK);
}

// @ts-ignore: decorator
@inline
function keep<T>(place: usize, value: f64): void {
  store<T>(kept + place, value as T);
}

// @ts-ignore: decorator
@inline
function take<T>(place: usize): v128 {
  return broadcast<T>(kept + place);
}

/** The largest logits of a block. */
function survey<T>(student: usize, teacher: usize, bytes: usize, record: usize): void {
  let s = splat<T>(-Infinity);
  let t = s;
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    s = larger<T>(v128.load(student + i), s);
    t = larger<T>(v128.load(teacher + i), t);
  }
  store<f64>(record + STUDENT_MAX, largest<T>(s));
  store<f64>(record + TEACHER_MAX, largest<T>(t));
}

/** The exponentials of a block, and their sums. */
// @ts-ignore: decorator
@inline
function loop<T>(
  soft: bool,
  hard: i32,
  student: usize,
  teacher: usize,
  bytes: usize,
  offset: usize,
  record: usize,
): void {
  const qOut = qs + offset;
  const pOut = ps + offset;
  const hardOut = hards + offset;
  const sMax = take<T>(STUDENT);
  const tMax = take<T>(TEACHER);
  const hardMax = take<T>(HARD);
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
  let qTotal = zero;
  let pTotal = zero;
  let hardTotal = zero;
  let dotTotal = zero;
  let i: usize = 0;
  while (i < bytes) {
    const end = min(i + RUN, bytes);
    let qSum = zero;
    let pSum = zero;
    let hardSum = zero;
    let dot = zero;
    for (; i < end; i += VECTOR) {
      const s = v128.load(student + i);
      if (soft) {
        const x = scaled<T>(s, sMax, c);
        const y = scaled<T>(v128.load(teacher + i), tMax, c);
        const q = exp2<T>(larger<T>(x, lowest), k0, k1, k2, k3, k4, k5, k6);
        const p = exp2<T>(larger<T>(y, lowest), k0, k1, k2, k3, k4, k5, k6);
        v128.store(qOut + i, q);
        v128.store(pOut + i, p);
        qSum = v128.add<T>(qSum, q);
        pSum = v128.add<T>(pSum, p);
        dot = madd<T>(p, v128.sub<T>(y, x), dot);
        if (hard > 0) hardSum = v128.add<T>(hardSum, raised<T>(q, hard));
      }
      if (hard == BY_ITSELF) {
        const x = scaled<T>(s, hardMax, hardC);
        const e = exp2<T>(larger<T>(x, lowest), k0, k1, k2, k3, k4, k5, k6);
        v128.store(hardOut + i, e);
        hardSum = v128.add<T>(hardSum, e);
        if (!soft) dot = v128.add<T>(dot, x); // so that a logit that is ruled out is seen
      }
    }
    qTotal = v128.add<T>(qTotal, qSum);
    pTotal = v128.add<T>(pTotal, pSum);
    hardTotal = v128.add<T>(hardTotal, hardSum);
    dotTotal = v128.add<T>(dotTotal, dot);
  }
  store<f64>(record + Q_SUM, sum<T>(qTotal));
  store<f64>(record + P_SUM, sum<T>(pTotal));
  store<f64>(record + HARD_SUM, sum<T>(hardTotal));
  store<f64>(record + DOT, sum<T>(dotTotal));
}

function exponentials<T>(
  student: usize,
  teacher: usize,
  bytes: usize,
  offset: usize,
  record: usize,
): void {
  const s = load<f64>(record + STUDENT_MAX);
  keep<T>(STUDENT, s);
  keep<T>(HARD, s);
  keep<T>(TEACHER, load<f64>(record + TEACHER_MAX));
  // Each case has a loop of its own, in which nothing is decided.
  if (!soft) loop<T>(false, BY_ITSELF, student, teacher, bytes, offset, record);
  else if (hard == NO_HARD) loop<T>(true, NO_HARD, student, teacher, bytes, offset, record);
  else if (hard == 1) loop<T>(true, 1, student, teacher, bytes, offset, record);
  else if (hard == 2) loop<T>(true, 2, student, teacher, bytes, offset, record);
  else if (hard == 3) loop<T>(true, 3, student, teacher, bytes, offset, record);
  else if (hard == 4) loop<T>(true, 4, student, teacher, bytes, offset, record);
  else loop<T>(true, BY_ITSELF, student, teacher, bytes, offset, record);
}

/**
 * A block again, in which a logit may be −Infinity: read as one so low that it adds nothing, and its exponentials made
 * exactly 0. Leaves a NaN where only the student rules a class out.
 */
function exponentialsOfAllowed<T>(
  student: usize,
  teacher: usize,
  bytes: usize,
  offset: usize,
  record: usize,
): void {
  const sMax = load<f64>(record + STUDENT_MAX);
  const tMax = load<f64>(record + TEACHER_MAX);
  const s = sMax == -Infinity ? 0 : sMax;
  const t = tMax == -Infinity ? 0 : tMax;
  const depth = (200 * steps<T>()) / min(scale, hardScale);
  keep<T>(LOW_STUDENT, s - depth);
  keep<T>(LOW_TEACHER, t - depth);
  const lowStudent = take<T>(LOW_STUDENT);
  const lowTeacher = take<T>(LOW_TEACHER);
  const never = splat<T>(-Infinity);
  let alone = splat<T>(0);
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const x = v128.load(student + i);
    const y = v128.load(teacher + i);
    const xRuled = v128.eq<T>(x, never);
    const yRuled = v128.eq<T>(y, never);
    alone = v128.or(alone, v128.andnot(xRuled, yRuled));
    v128.store(cleanStudent + i, v128.bitselect(lowStudent, x, xRuled));
    v128.store(cleanTeacher + i, v128.bitselect(lowTeacher, y, yRuled));
  }
  store<f64>(record + STUDENT_MAX, s);
  store<f64>(record + TEACHER_MAX, t);
  exponentials<T>(cleanStudent, cleanTeacher, bytes, offset, record);
  store<f64>(record + STUDENT_MAX, sMax);
  store<f64>(record + TEACHER_MAX, tMax);
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const xRuled = v128.eq<T>(v128.load(student + i), never);
    const yRuled = v128.eq<T>(v128.load(teacher + i), never);
    v128.store(qs + offset + i, v128.andnot(v128.load(qs + offset + i), xRuled));
    v128.store(ps + offset + i, v128.andnot(v128.load(ps + offset + i), yRuled));
    v128.store(hards + offset + i, v128.andnot(v128.load(hards + offset + i), xRuled));
  }
  if (sMax == -Infinity) {
    store<f64>(record + Q_SUM, 0);
    store<f64>(record + HARD_SUM, 0);
  }
  if (tMax == -Infinity) {
    store<f64>(record + P_SUM, 0);
    store<f64>(record + DOT, 0);
  }
  if (soft && v128.any_true(alone)) store<f64>(record + DOT, NaN);
}

/** What the exponentials of a block count beside those of the whole row: 2 to the distance of the largest logits. */
function qWeight<T>(record: usize): f64 {
  const max = load<f64>(record + STUDENT_MAX);
  return max == studentMax ? 1 : power<T>((max - studentMax) * scale);
}

function pWeight<T>(record: usize): f64 {
  const max = load<f64>(record + TEACHER_MAX);
  return max == teacherMax ? 1 : power<T>((max - teacherMax) * scale);
}

function hardWeight<T>(record: usize): f64 {
  const max = load<f64>(record + STUDENT_MAX);
  if (max == studentMax) return 1;
  if (hard == BY_ITSELF) return power<T>((max - studentMax) * hardScale);
  const weight = qWeight<T>(record);
  let product = weight;
  for (let i = 1; i < hard; i++) product *= weight;
  return product;
}

/** The exponentials of a row, block after block, and their sums. */
function readRow<T>(student: usize, teacher: usize): void {
  studentMax = -Infinity;
  teacherMax = -Infinity;
  let record = records;
  for (let offset: usize = 0; offset < width; offset += BLOCK) {
    const bytes = min(BLOCK, width - offset);
    const s = student + offset;
    const t = teacher + offset;
    survey<T>(s, t, bytes, record);
    exponentials<T>(s, t, bytes, offset, record);
    if (!isFinite(load<f64>(record + DOT))) {
      exponentialsOfAllowed<T>(s, t, bytes, offset, record);
    }
    studentMax = max(studentMax, load<f64>(record + STUDENT_MAX));
    teacherMax = max(teacherMax, load<f64>(record + TEACHER_MAX));
    record += RECORD;
  }
  qSum = 0;
  pSum = 0;
  hardSum = 0;
  dot = 0;
  for (let block = records; block < record; block += RECORD) {
    if (hard != NO_HARD) hardSum += hardWeight<T>(block) * load<f64>(block + HARD_SUM);
    if (!soft) {
      dot += load<f64>(block + DOT); // NaN where the block was
      continue;
    }
    const weight = pWeight<T>(block);
    const sum = load<f64>(block + P_SUM);
    qSum += qWeight<T>(block) * load<f64>(block + Q_SUM);
    pSum += weight * sum;
    dot += weight * load<f64>(block + DOT);
    if (sum > 0) {
      const teacherBelow = (load<f64>(block + TEACHER_MAX) - teacherMax) * scale;
      const studentBelow = (load<f64>(block + STUDENT_MAX) - studentMax) * scale;
      dot += weight * sum * (teacherBelow - studentBelow);
    }
  }
}

/** Σ of the exponentials at temperature 1, without the one of the label: where it is most of the sum, no digit is lost. */
function hardRest<T>(label: i32): f64 {
  const place = (label as usize) * sizeof<T>();
  const home = records + RECORD * (place / BLOCK);
  let rest: f64 = 0;
  const blocks = (width + BLOCK - 1) / BLOCK;
  for (let block = records; block < records + RECORD * blocks; block += RECORD) {
    if (block != home) rest += hardWeight<T>(block) * load<f64>(block + HARD_SUM);
  }
  const from = hard == BY_ITSELF ? hards : qs;
  const label1 = load<T>(from + place);
  store<T>(from + place, 0 as T);
  const start = place - (place % BLOCK);
  let sums = splat<T>(0);
  for (let i = start; i < min(start + BLOCK, width); i += VECTOR) {
    const e = v128.load(from + i);
    sums = v128.add<T>(sums, hard == BY_ITSELF ? e : raised<T>(e, hard));
  }
  store<T>(from + place, label1);
  return rest + hardWeight<T>(home) * sum<T>(sums);
}

/** gradient = q · (soft / Σq) − p · (soft / Σp) + e · (hard / Σe) of a block; returns the largest size of an entry. */
// @ts-ignore: decorator
@inline
function plainLoop<T>(soft: bool, hard: i32, gradient: usize, offset: usize, bytes: usize): f64 {
  const a = take<T>(Q_FACTOR);
  const b = take<T>(P_FACTOR);
  const c = take<T>(HARD);
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

function plainGradient<T>(gradient: usize, softFactor: f64, hardFactor: f64): f64 {
  let size: f64 = 0;
  for (let offset: usize = 0; offset < width; offset += BLOCK) {
    const record = records + RECORD * (offset / BLOCK);
    const bytes = min(BLOCK, width - offset);
    if (soft) {
      keep<T>(Q_FACTOR, (softFactor / qSum) * qWeight<T>(record));
      keep<T>(P_FACTOR, (softFactor / pSum) * pWeight<T>(record));
    }
    if (hard != NO_HARD) keep<T>(HARD, (hardFactor / hardSum) * hardWeight<T>(record));
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
function carefulSoft<T>(student: usize, teacher: usize, gradient: usize, factor: f64): f64 {
  // δ = (student − teacher − gap) / T + rest, where the gap is such that for δ near 0 the bracket is exact: the nearer
  // two numbers, the more exact their difference. So too, first, for sides that are far apart as a whole.
  const isNear = abs(studentMax - teacherMax) < 1;
  const studentZero = isNear ? 0 : studentMax;
  const teacherZero = isNear ? 0 : teacherMax;
  const nats = (scale * unit<T>()) as T as f64;
  const shift = log(pSum / qSum) + (isNear ? (teacherMax - studentMax) * nats : 0);
  const gap = (-shift / nats) as T as f64;
  let divergence: f64 = 0;
  excess = 0;
  for (let offset: usize = 0; offset < width; offset += BLOCK) {
    const record = records + RECORD * (offset / BLOCK);
    keep<T>(STUDENT, studentZero);
    keep<T>(TEACHER, teacherZero);
    keep<T>(Q_FACTOR, qWeight<T>(record) / qSum);
    keep<T>(P_FACTOR, pWeight<T>(record) / pSum);
    keep<T>(UNIT, nats);
    keep<T>(GAP, gap);
    keep<T>(REST, shift + gap * nats);
    keep<T>(FACTOR, factor);
    keep<T>(ONE, 1);
    const sZero = take<T>(STUDENT);
    const tZero = take<T>(TEACHER);
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
    keep<T>(FACTOR, excess);
    keep<T>(P_FACTOR, (factor * pWeight<T>(record)) / pSum);
    keep<T>(HARD, hard == NO_HARD ? 0 : (hardFactor / hardSum) * hardWeight<T>(record));
    const a = take<T>(FACTOR);
    const b = take<T>(P_FACTOR);
    const c = take<T>(HARD);
    for (let i = offset; i < min(offset + BLOCK, width); i += VECTOR) {
      const rough = v128.load(gradient + i);
      let value = nmadd<T>(a, madd<T>(v128.load(ps + i), b, rough), rough);
      if (hard == BY_ITSELF) value = madd<T>(v128.load(hards + i), c, value);
      else if (hard != NO_HARD) value = madd<T>(raised<T>(v128.load(qs + i), hard), c, value);
      v128.store(gradient + i, value);
    }
  }
}

// @ts-ignore: decorator
@inline
function labelPlace<T>(label: i32): usize {
  return (label as usize) * sizeof<T>();
}

/** The gradient of a row; the careful soft term, where `isClose`, is written already. */
function writeGradient<T>(
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

/**
 * One row: returns its loss, and writes `outer` × its gradient if `gradient` is not 0.
 *
 * @param softWeight - of the divergence, all that stands before it
 * @param label - the true class, or −1
 * @param alpha - the weight of the hard term
 */
function responseOfRow<T>(
  student: usize,
  teacher: usize,
  gradient: usize,
  label: i32,
  temperature: f64,
  softWeight: f64,
  alpha: f64,
  outer: f64,
): f64 {
  soft = label < 0 || alpha < 1;
  hard = label < 0 || alpha == 0 ? NO_HARD : BY_ITSELF;
  if (soft && hard != NO_HARD && temperature <= LARGEST_POWER && temperature == floor(temperature)) {
    hard = temperature as i32;
  }
  readRow<T>(student, soft ? teacher : student);
  let loss: f64 = 0;
  let hardLabel: f64 = 0; // d CE / d logit of the label: q − 1
  if (hard != NO_HARD) {
    const logit = splat<T>(load<T>(student + labelPlace<T>(label)) as f64);
    const c = hard == BY_ITSELF ? hardScale : scale;
    const x = first<T>(scaled<T>(logit, splat<T>(studentMax), splat<T>(c)));
    const height = hard == BY_ITSELF ? x : x * (hard as f64);
    const e = power<T>(height);
    const rest = e > 0.5 * hardSum ? hardRest<T>(label) : hardSum - e;
    const ce = rest < e ? logOnePlus(rest / e) : log(hardSum) - height * unit<T>();
    hardLabel = -rest / hardSum;
    loss = alpha * ce;
  }
  const softFactor = soft ? (softWeight / temperature) * outer : 0;
  let isClose = false;
  if (soft) {
    let divergence = (dot / pSum) * unit<T>() + log(qSum / pSum);
    isClose = divergence < CANCELS;
    // Without a gradient to write, the student's exponentials, of no use any more, are written over.
    if (isClose) divergence = carefulSoft<T>(student, teacher, gradient ? gradient : qs, softFactor);
    loss += softWeight * divergence;
  }
  if (gradient) writeGradient<T>(student, teacher, gradient, label, isClose, softFactor, alpha * outer, hardLabel);
  return loss;
}

export function response<T>(
  student: usize,
  teacher: usize,
  gradient: usize,
  labels: usize,
  losses: usize,
  rows: i32,
  bytes: usize,
  temperature: f64,
  temperatureFactor: f64,
  alpha: f64,
  outer: f64,
): void {
  width = bytes;
  scale = ((steps<T>() * 1.4426950408889634) / temperature) as T as f64;
  hardScale = (steps<T>() * 1.4426950408889634) as T as f64;
  keep<T>(SCALE, scale);
  keep<T>(HARD_SCALE, hardScale);
  for (let row = 0; row < rows; row++) {
    const label = labels ? load<i32>(labels + ((row as usize) << 2)) : -1;
    const offset = (row as usize) * bytes;
    const target = gradient ? gradient + offset : 0;
    const weight = label < 0 ? 0 : alpha;
    const softWeight = (1 - weight) * temperatureFactor;
    const loss = responseOfRow<T>(
      student + offset,
      teacher + offset,
      target,
      label,
      temperature,
      softWeight,
      weight,
      outer,
    );
    store<f64>(losses + ((row as usize) << 3), loss);
  }
}
