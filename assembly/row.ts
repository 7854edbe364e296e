// A row of student and teacher logits as it is read: block by block, each of which stays in the first-level cache. Of each
// block: the largest logit on either side, then all exponentials, which are kept, and their sums.

import { constant, exp2, power, steps, stepsToNat } from './exp';
import { broadcast, larger, largest, madd, splat, sum, VECTOR } from './lanes';
import { BY_ITSELF, NO_HARD, raised, scaled } from './softmax';

/** Bytes of one side of a block. */
export const BLOCK: usize = 4096;

/** Bytes that are summed by themselves: many short sums lose fewer digits than a long one. */
export const RUN: usize = 256;

// What a loop keeps in registers stands here, 8 bytes apart; see `broadcast`.
let kept: usize = 0;
const STUDENT: usize = 0;
const TEACHER: usize = 8;
const SCALE: usize = 16;
const HARD_SCALE: usize = 24;
const LOW_STUDENT: usize = 32;
const LOW_TEACHER: usize = 40;
export const UNIT: usize = 48;
export const REST: usize = 56;
export const FACTOR: usize = 64;
export const Q_FACTOR: usize = 72;
export const P_FACTOR: usize = 80;
export const HARD_FACTOR: usize = 88;
export const EXCESS: usize = 96;
export const ONE: usize = 104;
export const GAP: usize = 112;
export const STUDENT_ZERO: usize = 120;
export const TEACHER_ZERO: usize = 128;
const KEPT: usize = 144;

// A block as it was read: its largest logits, and the sums of its exponentials below them.
const STUDENT_MAX: usize = 0;
const TEACHER_MAX: usize = 8;
const Q_SUM: usize = 16;
const P_SUM: usize = 24;
const HARD_SUM: usize = 32;
/** Σ p · (teacher − student), in steps. */
const DOT: usize = 40;
export const RECORD: usize = 48;

// Where a row is worked on.
let cleanStudent: usize = 0;
let cleanTeacher: usize = 0;
export let records: usize = 0;
export let qs: usize = 0;
export let ps: usize = 0;
export let hards: usize = 0;

// The call.
export let width: usize = 0; // bytes of a row
export let scale: f64 = 0; // steps to a unit of a logit, at the temperature
export let hardScale: f64 = 0; // … and at the one of the hard term

// The row: which terms it has, and what its blocks make together.
export let soft: bool = false;
export let hard: i32 = NO_HARD;
export let studentMax: f64 = 0;
export let teacherMax: f64 = 0;
export let qSum: f64 = 0;
export let pSum: f64 = 0;
export let hardSum: f64 = 0;
export let dot: f64 = 0;

/** Claims the memory in which rows of up to so many bytes are worked on, and returns where it ends. */
export function placeRow(start: usize, bytes: usize): usize {
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
export function keep<T>(place: usize, value: f64): void {
  store<T>(kept + place, value as T);
}

// @ts-ignore: decorator
@inline
export function take<T>(place: usize): v128 {
  return broadcast<T>(kept + place);
}

/** Rows are padded with −1e30; the largest logit has to be above that. */
export const LOWEST: f64 = -1e29;

/** Begins a call: rows of so many bytes, at a temperature, and at another where the hard exponentials are by themselves. */
export function beginRows<T>(bytes: usize, temperature: f64, hardTemperature: f64 = 1): void {
  width = bytes;
  scale = (stepsToNat<T>() / temperature) as T as f64;
  hardScale = (stepsToNat<T>() / hardTemperature) as T as f64;
  keep<T>(SCALE, scale);
  keep<T>(HARD_SCALE, hardScale);
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
        const x = scaled<T>(s, sMax, hardC);
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
  keep<T>(STUDENT, load<f64>(record + STUDENT_MAX));
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

/** A logit that is so far below the largest that its exponential is 0. */
// @ts-ignore: decorator
@inline
function below<T>(largest: f64): f64 {
  // Where the largest is very large, a small step would be lost beside it.
  return largest - max<f64>((200 * steps<T>()) / min(scale, hardScale), abs(largest) / 1024);
}

/**
 * A block again, in which a logit may be −Infinity: read as one so low that its exponentials are 0. Leaves a NaN where
 * only the student rules a class out.
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
  // Where all is ruled out, any number will do.
  const s = sMax == -Infinity ? 0 : sMax;
  const t = tMax == -Infinity ? 0 : tMax;
  keep<T>(LOW_STUDENT, below<T>(s));
  keep<T>(LOW_TEACHER, below<T>(t));
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
  if (soft && v128.any_true(alone)) store<f64>(record + DOT, NaN);
}

/** What the exponentials of a block count beside those of the whole row: 2 to the distance of the largest logits. */
export function qWeight<T>(record: usize): f64 {
  const max = load<f64>(record + STUDENT_MAX);
  return max == studentMax ? 1 : power<T>((max - studentMax) * scale);
}

export function pWeight<T>(record: usize): f64 {
  const max = load<f64>(record + TEACHER_MAX);
  return max == teacherMax ? 1 : power<T>((max - teacherMax) * scale);
}

export function hardWeight<T>(record: usize): f64 {
  const max = load<f64>(record + STUDENT_MAX);
  if (max == studentMax) return 1;
  if (hard == BY_ITSELF) return power<T>((max - studentMax) * hardScale);
  const weight = qWeight<T>(record);
  let product = weight;
  for (let i = 1; i < hard; i++) product *= weight;
  return product;
}

/**
 * The exponentials of a row, block after block, and their sums.
 *
 * @param isSoft - whether the row has a soft term
 * @param hardExponentials - where its hard term has the exponentials from
 */
export function readRow<T>(student: usize, teacher: usize, isSoft: bool, hardExponentials: i32): void {
  soft = isSoft;
  hard = hardExponentials;
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
export function hardRest<T>(label: i32): f64 {
  const place = labelPlace<T>(label);
  const home = records + RECORD * (place / BLOCK);
  let rest: f64 = 0;
  const blocks = (width + BLOCK - 1) / BLOCK;
  for (let block = records; block < records + RECORD * blocks; block += RECORD) {
    if (block != home) rest += hardWeight<T>(block) * load<f64>(block + HARD_SUM);
  }
  const from = hard == BY_ITSELF ? hards : qs;
  const atLabel = load<T>(from + place);
  store<T>(from + place, 0 as T);
  const start = place - (place % BLOCK);
  let sums = splat<T>(0);
  for (let i = start; i < min(start + BLOCK, width); i += VECTOR) {
    const e = v128.load(from + i);
    sums = v128.add<T>(sums, hard == BY_ITSELF ? e : raised<T>(e, hard));
  }
  store<T>(from + place, atLabel);
  return rest + hardWeight<T>(home) * sum<T>(sums);
}

// @ts-ignore: decorator
@inline
export function labelPlace<T>(label: i32): usize {
  return (label as usize) * sizeof<T>();
}
