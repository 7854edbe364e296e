// Layout of the workspace of a call: constants of loops, records of rows, and rows of numbers.

import {
  BATCH_BYTES, BATCH_ROWS, CONSTANT_BYTES, PATCH_BYTES, RECORD_BYTES,
} from '../../src/engine/layout';
import { broadcast } from './lanes';

// Offsets of the constants. Loops read constants from memory, see `broadcast`.
export const STUDENT_MAX: usize = 0;
export const TEACHER_MAX: usize = 8;
/** Steps of an exponent per unit of the logits: at the temperature, and at temperature 1. */
export const SOFT_STEPS: usize = 16;
export const HARD_STEPS: usize = 24;
/**
 * Exponents below this one give 0, because arithmetic with subnormal numbers takes ten times as
 * long.
 */
export const LOWEST_POWER: usize = 32;
// d = log q − log p = (student − APART − teacher − GAP) · INVERSE + REST, see ratio.ts.
export const APART: usize = 40;
export const GAP: usize = 48;
export const INVERSE: usize = 56;
export const REST: usize = 64;
/** Factor that brings the student's exponentials to the units of the teacher's. */
export const Q_FACTOR: usize = 72;
/** Slope with respect to q that is subtracted from all slopes, see `refer` in term.ts. */
export const REFERENCE: usize = 80;
export const ONE: usize = 88;
export const HALF: usize = 96;
export const TINY: usize = 104;
// Shares of p and q in a mixture; shares of their logarithms in the alpha-beta divergence.
export const P_SHARE: usize = 112;
export const Q_SHARE: usize = 120;
// gradient = SLOPE_FACTOR · slope + SOFT_FACTOR · q + HARD_FACTOR · hard
export const SLOPE_FACTOR: usize = 128;
export const SOFT_FACTOR: usize = 136;
export const HARD_FACTOR: usize = 144;
// Mean and factors of the correlation.
export const MEAN: usize = 152;
export const DIFFERENCE_FACTOR: usize = 160;
export const TEACHER_FACTOR: usize = 168;
export const STUDENT_FACTOR: usize = 176;
/** Factor that turns the teacher's exponentials into probabilities. */
export const UNIT: usize = 184;

/** −Infinity. */
export const RULED_OUT: usize = 192;

// Alpha-beta divergence, see powers.ts. The exponent of a power, in steps, is (logit − TOP) ·
// POWER_STEPS + OFFSET.
export const POWER_STEPS: usize = 200;
export const START_TOP: usize = 208;
export const START_OFFSET: usize = 216;
export const END_TOP: usize = 224;
export const END_OFFSET: usize = 232;
/** 1 if the steps go from the teacher to the student, −1 if from the student to the teacher. */
export const WAY: usize = 240;
/**
 * Sum of the powers, the smaller power, and the inverses of the sum, the smaller and the larger
 * power.
 */
export const TOTAL: usize = 248;
export const SMALLER: usize = 256;
export const BY_TOTAL: usize = 264;
export const BY_SMALLER: usize = 272;
export const BY_LARGER: usize = 280;
/** Weights of the curvatures for the sum of the powers and for the smaller power. */
export const TOTAL_CURVE: usize = 288;
export const SMALLER_CURVE: usize = 296;

let kept: usize = 0;

/** Address of the records of the rows of a batch. */
export let records: usize = 0;

/** Address of a patch: two runs of numbers, see `readOthers` in read.ts. */
export let patch: usize = 0;

/**
 * Addresses of the exponentials of the current row: of the student, of the teacher, and of the
 * student at temperature 1.
 */
export let qs: usize = 0;
export let ps: usize = 0;
export let hards: usize = 0;

/** Address of the slopes of the current row, if they cannot be written to the gradient. */
export let slopes: usize = 0;

/**
 * Addresses of copies of rows: student, teacher and gradient. Rows are copied if they are not whole
 * vectors or are standardized.
 */
export let students: usize = 0;
export let teachers: usize = 0;
export let outputs: usize = 0;

/** Address behind the copies, where some losses have buffers of their own. */
export let spare: usize = 0;

let firstQ: usize = 0;
let firstP: usize = 0;
let firstHard: usize = 0;
let rowBytes: usize = 0;

/** Returns the number of rows with `width` bytes that are computed together. */
export function batchRows(width: usize): i32 {
  return min(max((BATCH_BYTES / width) as i32, 1), BATCH_ROWS);
}

/** Lays out the workspace for rows of `width` bytes. */
export function place(start: usize, width: usize): void {
  const batch = (batchRows(width) as usize) * width;
  kept = start;
  records = kept + CONSTANT_BYTES;
  patch = records + BATCH_ROWS * RECORD_BYTES;
  firstQ = patch + PATCH_BYTES;
  firstP = firstQ + batch;
  firstHard = firstP + batch;
  slopes = firstHard + batch;
  students = slopes + width;
  teachers = students + batch;
  outputs = teachers + batch;
  spare = outputs + batch;
  rowBytes = width;
}

/** Selects the exponentials of a row of the batch. */
@inline
export function selectRow(index: i32): void {
  const offset = (index as usize) * rowBytes;
  qs = firstQ + offset;
  ps = firstP + offset;
  hards = firstHard + offset;
}

/** Selects exponentials at other addresses. */
@inline
export function selectExponentials(q: usize, p: usize): void {
  qs = q;
  ps = p;
}

/** Writes a constant of loops. */
@inline
export function keep<T>(place: usize, value: f64): void {
  store<T>(kept + place, value as T);
}

/** Returns a constant in every lane. */
@inline
export function take<T>(place: usize): v128 {
  return broadcast<T>(kept + place);
}
