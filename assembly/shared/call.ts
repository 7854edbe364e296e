// Reads the description of a call; src/engine/layout.ts has its layout.

import {
  ADDS, COLUMNS, DISTRIBUTIONS, GRADIENT, LABELS, LOSSES, OPTION, OTHER_OPTION, PER_COLUMN, RANKS, SCALE, STANDARDIZES,
  STUDENT, TEACHER, TEACHER_COLUMNS, TEACHER_TEMPERATURE, TEMPERATURE, TEMPERATURES, WEIGHTS,
} from '../../src/engine/layout';
import { prepareExp, steps, stepsToNat } from './exp';
import { clear } from './stage';
import {
  batchRows, HALF, HARD_STEPS, keep, LOWEST_POWER, ONE, P_SHARE, place, Q_SHARE, REFERENCE, RULED_OUT, SOFT_STEPS, TINY,
} from './workspace';

export let student: usize = 0;
export let teacher: usize = 0;
export let gradient: usize = 0;
let losses: usize = 0;
export let distributions: usize = 0;
export let columns: i32 = 0;
export let teacherColumns: i32 = 0;
export let adds: bool = false;
export let standardizes: bool = false;
export let ranks: bool = false;
/** Temperature of the call or, after `selectTemperature`, of the current row. */
export let temperature: f64 = 1;
export let scale: f64 = 1;
export let option: f64 = 0;
export let otherOption: f64 = 0;

/** Address of the table with numbers for each column; 0 if there is none. */
export let perColumn: usize = 0;

/**
 * Bytes of a row of the student and of the teacher, and of a row of the workspace. A row of the
 * workspace is padded to whole vectors; for ranks it holds a row of either side.
 */
export let stride: usize = 0;
export let teacherStride: usize = 0;
export let width: usize = 0;

/** Whether rows are copied to the workspace. */
export let isStaged: bool = false;

/** Number of rows that are computed together. */
export let batch: i32 = 1;

let labels: usize = 0;
let weights: usize = 0;
let temperatures: usize = 0;
let teacherTemperature: f64 = 0;

export function begin<T>(call: usize, workspace: usize): void {
  student = load<usize>(call, STUDENT);
  teacher = load<usize>(call, TEACHER);
  gradient = load<usize>(call, GRADIENT);
  losses = load<usize>(call, LOSSES);
  labels = load<usize>(call, LABELS);
  weights = load<usize>(call, WEIGHTS);
  distributions = load<usize>(call, DISTRIBUTIONS);
  columns = load<i32>(call, COLUMNS);
  teacherColumns = load<i32>(call, TEACHER_COLUMNS);
  adds = load<i32>(call, ADDS) != 0;
  standardizes = load<i32>(call, STANDARDIZES) != 0;
  ranks = load<i32>(call, RANKS) != 0;
  perColumn = load<usize>(call, PER_COLUMN);
  temperature = load<f64>(call, TEMPERATURE);
  temperatures = load<usize>(call, TEMPERATURES);
  teacherTemperature = load<f64>(call, TEACHER_TEMPERATURE);
  scale = load<f64>(call, SCALE);
  option = load<f64>(call, OPTION);
  otherOption = load<f64>(call, OTHER_OPTION);
  stride = (columns as usize) * sizeof<T>();
  teacherStride = (teacherColumns as usize) * sizeof<T>();
  width = ((ranks ? max(stride, teacherStride) : stride) + 15) & ~15;
  isStaged = standardizes || teacherTemperature != 0 || width != stride || (ranks && width != teacherStride);
  batch = batchRows(width);
  place(workspace, width);
  prepareExp();
  keep<T>(SOFT_STEPS, stepsToNat<T>() / temperature);
  keep<T>(HARD_STEPS, stepsToNat<T>());
  keep<T>(LOWEST_POWER, sizeof<T>() == 8 ? -900 * steps<T>() : -100);
  keep<T>(REFERENCE, 0);
  keep<T>(ONE, 1);
  keep<T>(HALF, 0.5);
  keep<T>(TINY, sizeof<T>() == 8 ? 1e-300 : 1e-37);
  keep<T>(P_SHARE, option);
  keep<T>(Q_SHARE, otherOption);
  keep<T>(RULED_OUT, -Infinity);
}

/** Sets the temperature of a row. */
@inline
export function selectTemperature<T>(row: i32): void {
  if (temperatures == 0) return;
  temperature = load<f64>(temperatures + ((row as usize) << 3));
  keep<T>(SOFT_STEPS, stepsToNat<T>() / temperature);
}

/**
 * Returns the factor that scales the teacher's logits to the student's temperature.
 */
export function teacherFactor(): f64 {
  return teacherTemperature == 0 ? 1 : temperature / teacherTemperature;
}

/** Returns the class of a row, or a mark. */
@inline
export function labelOf(row: i32): i32 {
  return load<i32>(labels + ((row as usize) << 2));
}

@inline
export function softWeightOf(row: i32): f64 {
  return load<f64>(weights + ((row as usize) << 4));
}

@inline
export function hardWeightOf(row: i32): f64 {
  return load<f64>(weights + ((row as usize) << 4), 8);
}

@inline
export function putLoss(row: i32, loss: f64): void {
  store<f64>(losses + ((row as usize) << 3), loss);
}

/**
 * Writes the loss of a row without a derivative: an excluded row, or one that JavaScript computes.
 */
export function leaveOut(row: i32, loss: f64): void {
  putLoss(row, loss);
  if (gradient && !adds) clear(gradient + (row as usize) * stride, stride);
}
