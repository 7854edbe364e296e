// The workspace of a call: constants that loops read, records of rows, and rows of numbers.

import {
  BATCH_BYTES, BATCH_ROWS, CONSTANT_BYTES, PATCH_BYTES, RECORD_BYTES,
} from '../../src/engine/layout';
import { broadcast } from './lanes';

// Places of the constants. A loop reads its constants from memory, see `broadcast`.
export const STUDENT_MAX: usize = 0;
export const TEACHER_MAX: usize = 8;
/** Steps to a unit of the logits: at the temperature, and at temperature 1. */
export const SOFT_STEPS: usize = 16;
export const HARD_STEPS: usize = 24;
/**
 * Powers below this one are 0: numbers without their leading digit take a machine ten times as
 * long.
 */
export const LOWEST_POWER: usize = 32;
// d = log q − log p = (student − APART − teacher − GAP) · INVERSE + REST, see ratio.ts.
export const APART: usize = 40;
export const GAP: usize = 48;
export const INVERSE: usize = 56;
export const REST: usize = 64;
/** What brings q to the units of p. */
export const Q_FACTOR: usize = 72;
/** The slope by q that is taken from all others, see `refer` in term.ts. */
export const REFERENCE: usize = 80;
export const ONE: usize = 88;
export const HALF: usize = 96;
export const TINY: usize = 104;
// The shares of a mixture; of the logarithms, in the alpha-beta divergence.
export const P_SHARE: usize = 112;
export const Q_SHARE: usize = 120;
// gradient = SLOPE_FACTOR · slope + SOFT_FACTOR · q + HARD_FACTOR · hard
export const SLOPE_FACTOR: usize = 128;
export const SOFT_FACTOR: usize = 136;
export const HARD_FACTOR: usize = 144;
// The correlation's mean and factors.
export const MEAN: usize = 152;
export const DIFFERENCE_FACTOR: usize = 160;
export const TEACHER_FACTOR: usize = 168;
export const STUDENT_FACTOR: usize = 176;
/** What brings p to a probability. */
export const UNIT: usize = 184;

/** −Infinity. */
export const RULED_OUT: usize = 192;

// The alpha-beta divergence, see powers.ts. The steps of a power are (logit − TOP) · POWER_STEPS +
// OFFSET.
export const POWER_STEPS: usize = 200;
export const START_TOP: usize = 208;
export const START_OFFSET: usize = 216;
export const END_TOP: usize = 224;
export const END_OFFSET: usize = 232;
/** 1 where the way is from the teacher to the student, −1 where it is the other way round. */
export const WAY: usize = 240;
/** The sum of the powers, the smaller one, and what divides by them and by the larger one. */
export const TOTAL: usize = 248;
export const SMALLER: usize = 256;
export const BY_TOTAL: usize = 264;
export const BY_SMALLER: usize = 272;
export const BY_LARGER: usize = 280;
/** How often the curvatures of the sum and of the smaller one count. */
export const TOTAL_CURVE: usize = 288;
export const SMALLER_CURVE: usize = 296;

let kept: usize = 0;

/** Where the records of a batch stand. */
export let records: usize = 0;

/** Two runs of numbers. */
export let patch: usize = 0;

/**
 * Exponentials of the row at hand: of the student, of the teacher, and of the student at
 * temperature 1.
 */
export let qs: usize = 0;
export let ps: usize = 0;
export let hards: usize = 0;

/** Slopes of the row at hand, where they cannot stand in the gradient. */
export let slopes: usize = 0;

/**
 * Copies of rows that are not whole vectors, or are standardized: both sides, then the gradient.
 */
export let students: usize = 0;
export let teachers: usize = 0;
export let outputs: usize = 0;

/** Behind all of them: what only some losses have. */
export let spare: usize = 0;

let firstQ: usize = 0;
let firstP: usize = 0;
let firstHard: usize = 0;
let rowBytes: usize = 0;

/** Rows of this many bytes that are worked on together. */
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

/** Turns to a row of the batch. */
@inline
export function turnTo(index: i32): void {
  const offset = (index as usize) * rowBytes;
  qs = firstQ + offset;
  ps = firstP + offset;
  hards = firstHard + offset;
}

@inline
export function turnToExponentials(q: usize, p: usize): void {
  qs = q;
  ps = p;
}

@inline
export function keep<T>(place: usize, value: f64): void {
  store<T>(kept + place, value as T);
}

@inline
export function take<T>(place: usize): v128 {
  return broadcast<T>(kept + place);
}
