// Reads a row: its largest logits, its exponentials, which are kept, and their sums.

import { constant, exp2 } from '../shared/exp';
import { larger, largest, RUN, splat, sum, VECTOR } from '../shared/lanes';
import {
  HARD_STEPS, hards, keep, LOWEST_POWER, ps, qs, SOFT_STEPS, STUDENT_MAX, take, TEACHER_MAX,
} from '../shared/workspace';

export let studentMax: f64 = 0;
export let teacherMax: f64 = 0;
export let qSum: f64 = 0;
export let pSum: f64 = 0;
export let hardSum: f64 = 0;

// How the exponentials of the hard loss are computed: not at all, as a power of the soft
// exponentials, or by themselves.
export const NO_HARD: i32 = 0;
export const BY_POWER: i32 = 1;
export const BY_ITSELF: i32 = 2;

/**
 * Largest power of the soft exponentials: a higher power would amplify their rounding errors too
 * much.
 */
const LARGEST_POWER: f64 = 4;

export function hardBeside(temperature: f64): i32 {
  return temperature <= LARGEST_POWER && temperature == floor(temperature) ? BY_POWER : BY_ITSELF;
}

export function beginRow(): void {
  studentMax = -Infinity;
  teacherMax = -Infinity;
  qSum = 0;
  pSum = 0;
  hardSum = 0;
}

/** Updates the largest logits by a part of a row. */
export function survey<T>(student: usize, teacher: usize, from: usize, to: usize): void {
  let a = splat<T>(-Infinity);
  let b = a;
  let c = a;
  let d = a;
  let i = from;
  for (; i + 2 * VECTOR <= to; i += 2 * VECTOR) {
    a = larger<T>(v128.load(student + i), a);
    b = larger<T>(v128.load(teacher + i), b);
    c = larger<T>(v128.load(student + i, 16), c);
    d = larger<T>(v128.load(teacher + i, 16), d);
  }
  for (; i < to; i += VECTOR) {
    a = larger<T>(v128.load(student + i), a);
    b = larger<T>(v128.load(teacher + i), b);
  }
  studentMax = max(studentMax, largest<T>(larger<T>(a, c)));
  teacherMax = max(teacherMax, largest<T>(larger<T>(b, d)));
}

/** Writes the largest logits to the constants of loops. */
export function keepMaxima<T>(): void {
  keep<T>(STUDENT_MAX, studentMax);
  keep<T>(TEACHER_MAX, teacherMax);
}

/** Writes the exponentials of a part of a row, and adds them to the sums. */
export function exponentials<T>(
  withHard: bool, student: usize, teacher: usize, from: usize, to: usize,
): void {
  if (withHard) readPart<T>(true, student, teacher, from, to);
  else readPart<T>(false, student, teacher, from, to);
}

@inline
function readPart<T>(withHard: bool, student: usize, teacher: usize, from: usize, to: usize): void {
  const sMax = take<T>(STUDENT_MAX);
  const tMax = take<T>(TEACHER_MAX);
  const soft = take<T>(SOFT_STEPS);
  const own = take<T>(HARD_STEPS);
  const lowest = take<T>(LOWEST_POWER);
  const k0 = constant<T>(0), k1 = constant<T>(1), k2 = constant<T>(2), k3 = constant<T>(3);
  const k4 = constant<T>(4), k5 = constant<T>(5), k6 = constant<T>(6);
  const zero = splat<T>(0);
  const toQ = qs;
  const toP = ps;
  const toHard = hards;
  let i = from;
  while (i < to) {
    const end = min(i + RUN, to);
    let q8 = zero;
    let p8 = zero;
    let h8 = zero;
    for (; i < end; i += VECTOR) {
      const s = v128.sub<T>(v128.load(student + i), sMax);
      const t = v128.sub<T>(v128.load(teacher + i), tMax);
      const qPower = v128.mul<T>(s, soft);
      const q = v128.andnot(exp2<T>(qPower, k0, k1, k2, k3, k4, k5, k6), v128.lt<T>(qPower, lowest));
      const pPower = v128.mul<T>(t, soft);
      const p = v128.andnot(exp2<T>(pPower, k0, k1, k2, k3, k4, k5, k6), v128.lt<T>(pPower, lowest));
      v128.store(toQ + i, q);
      v128.store(toP + i, p);
      q8 = v128.add<T>(q8, q);
      p8 = v128.add<T>(p8, p);
      if (withHard) {
        const hPower = v128.mul<T>(s, own);
        const h = v128.andnot(exp2<T>(hPower, k0, k1, k2, k3, k4, k5, k6), v128.lt<T>(hPower, lowest));
        v128.store(toHard + i, h);
        h8 = v128.add<T>(h8, h);
      }
    }
    qSum += sum<T>(q8);
    pSum += sum<T>(p8);
    if (withHard) hardSum += sum<T>(h8);
  }
}

/**
 * Computes the exponentials at temperature 1, and their sum, as a power (1 to 4) of the
 * exponentials at the temperature.
 */
export function raise<T>(power: i32, width: usize): void {
  // Each power has a loop of its own, because a decision in the loop would take as long as a
  // multiplication.
  if (power == 1) raiseTo<T>(1, width);
  else if (power == 2) raiseTo<T>(2, width);
  else if (power == 3) raiseTo<T>(3, width);
  else raiseTo<T>(4, width);
}

@inline
function raiseTo<T>(power: i32, width: usize): void {
  const from = qs;
  const to = hards;
  hardSum = 0;
  let i: usize = 0;
  while (i < width) {
    const end = min(i + RUN, width);
    let run = splat<T>(0);
    for (; i < end; i += VECTOR) {
      const q = v128.load(from + i);
      let h = q;
      if (power >= 2) h = v128.mul<T>(q, q);
      if (power == 3) h = v128.mul<T>(h, q);
      if (power == 4) h = v128.mul<T>(h, h);
      v128.store(to + i, h);
      run = v128.add<T>(run, h);
    }
    hardSum += sum<T>(run);
  }
}

/** Reads the largest logits and the exponentials of a row. */
export function readRow<T>(withHard: bool, student: usize, teacher: usize, width: usize): void {
  beginRow();
  survey<T>(student, teacher, 0, width);
  keepMaxima<T>();
  exponentials<T>(withHard, student, teacher, 0, width);
}

/**
 * Reads the largest logit of a single row, and its exponentials. `stepsPlace` is the offset of the
 * constant that holds the steps: SOFT_STEPS or HARD_STEPS.
 */
export function readAlone<T>(row: usize, width: usize, stepsPlace: usize): void {
  beginRow();
  survey<T>(row, row, 0, width);
  keepMaxima<T>();
  const top = take<T>(STUDENT_MAX);
  const steps = take<T>(stepsPlace);
  const lowest = take<T>(LOWEST_POWER);
  const k0 = constant<T>(0), k1 = constant<T>(1), k2 = constant<T>(2), k3 = constant<T>(3);
  const k4 = constant<T>(4), k5 = constant<T>(5), k6 = constant<T>(6);
  const to = hards;
  let i: usize = 0;
  while (i < width) {
    const end = min(i + RUN, width);
    let sum8 = splat<T>(0);
    for (; i < end; i += VECTOR) {
      const power = v128.mul<T>(v128.sub<T>(v128.load(row + i), top), steps);
      const e = v128.andnot(exp2<T>(power, k0, k1, k2, k3, k4, k5, k6), v128.lt<T>(power, lowest));
      v128.store(to + i, e);
      sum8 = v128.add<T>(sum8, e);
    }
    hardSum += sum<T>(sum8);
  }
}

/**
 * Reads a row as {@link readRow} does, as if both sides ruled out the class `label`. The run that
 * holds the class is read from a copy.
 */
export function readOthers<T>(
  withHard: bool, student: usize, teacher: usize, width: usize, label: i32, patch: usize,
): void {
  const place = (label as usize) * sizeof<T>();
  const start = place - (place % RUN);
  const end = min(start + RUN, width);
  for (let i = start; i < end; i += VECTOR) {
    v128.store(patch + i - start, v128.load(student + i));
    v128.store(patch + RUN + i - start, v128.load(teacher + i));
  }
  store<T>(patch + place - start, -Infinity as T);
  store<T>(patch + RUN + place - start, -Infinity as T);
  const s = patch - start;
  const t = s + RUN;
  beginRow();
  survey<T>(student, teacher, 0, start);
  survey<T>(s, t, start, end);
  survey<T>(student, teacher, end, width);
  keepMaxima<T>();
  exponentials<T>(withHard, student, teacher, 0, start);
  exponentials<T>(withHard, s, t, start, end);
  exponentials<T>(withHard, student, teacher, end, width);
}

/** Restores the results of reading a row. */
export function recall(sMax: f64, tMax: f64, q: f64, p: f64): void {
  studentMax = sMax;
  teacherMax = tMax;
  qSum = q;
  pSum = p;
}

/** Restores the results of reading a row at temperature 1. */
export function recallHard(sMax: f64, hard: f64): void {
  studentMax = sMax;
  hardSum = hard;
}

/** Returns Σ of the exponentials at temperature 1, without the one at an offset. */
export function restOf<T>(width: usize, place: usize): f64 {
  const atLabel = load<T>(hards + place);
  store<T>(hards + place, 0 as T);
  let rest: f64 = 0;
  let i: usize = 0;
  while (i < width) {
    const end = min(i + RUN, width);
    let run = splat<T>(0);
    for (; i < end; i += VECTOR) run = v128.add<T>(run, v128.load(hards + i));
    rest += sum<T>(run);
  }
  store<T>(hards + place, atLabel);
  return rest;
}
