// Computes losses of distributions. Each batch of rows is read, the logarithms of the sums are
// taken, the term of each row is evaluated, and the gradient is written once.

import { DISTRIBUTION_ROW, EXCLUDED_ROW, RECORD_BYTES } from '../../src/engine/layout';
import { logs } from '../shared/log';
import {
  adds, batch, begin, columns, distributions, gradient, hardWeightOf, isStaged, labelOf, leaveOut, option,
  otherOption, perColumn, putLoss, ranks, scale, softWeightOf, standardizes, stride, student, teacher, teacherColumns,
  teacherStride, temperature, selectTemperature, width,
} from '../shared/call';
import { decouple, oddsSlope } from './decoupled';
import { addHard, finish } from './finish';
import {
  classLossBeside, distributionLoss, hardLoss, hardRest, hardTotal, labelLoss, logged, loggedAbove, mass, recallLabel,
  subtractLabels, weighLabel,
} from './hard';
import { placePowers } from './powers';
import { rankedVariation } from './ranks';
import { placeRatio, settleRatio } from './ratio';
import {
  BY_ITSELF, BY_POWER, hardBeside, hardSum, NO_HARD, pSum, qSum, raise, readAlone, readOthers, readRow, recall, recallHard, studentMax, teacherMax,
} from './read';
import { clear, copyIn, copyOut } from '../shared/stage';
import { standardize, standardizeAdjoint } from '../shared/standardize';
import { temper } from './temper';
import { correlate, refer, slopeSum, termOf } from './term';
import {
  AlphaBeta, Correlation, ForwardKL, JensenShannon, ReverseKL, SkewKL, SkewReverseKL, TotalVariation,
} from './terms';
import {
  HARD_FACTOR, HARD_STEPS, keep, outputs, qs, patch, records, slopes, SLOPE_FACTOR, SOFT_FACTOR, students, teachers, selectRow,
} from '../shared/workspace';

// Offsets of the fields of a record.
const STUDENT_TOP: usize = 0;
const TEACHER_TOP: usize = 8;
const Q_SUM: usize = 16;
const P_SUM: usize = 24;
const LOG_RATIO: usize = 32;
const HARD_TOP: usize = 40;
const HARD_SUM: usize = 48;
const DEVIATION: usize = 56;
/** Loss of a label that is a class; for any other label, the log of HARD_SUM. */
const HARD_LOG: usize = 80;
const HARD_REST: usize = 88;
const HARD_TOTAL: usize = 96;
const STUDENT_ROW: usize = 64;
const TEACHER_ROW: usize = 72;

@inline
function recordOf(index: i32): usize {
  return records + RECORD_BYTES * (index as usize);
}

/** Reads a row of the batch into its record. */
function read<T>(row: i32, index: i32, isDecoupled: bool): void {
  const record = recordOf(index);
  const offset = (row as usize) * stride;
  const hard = hardWeightOf(row);
  // A row with the hard loss alone does not need the teacher, which is then not read.
  const isRead = hard == 0 || softWeightOf(row) != 0 || perColumn != 0;
  let s = student + offset;
  let t = isRead ? teacher + (row as usize) * teacherStride : s;
  selectRow(index);
  selectTemperature<T>(row);
  if (isStaged) {
    const at = (index as usize) * width;
    copyIn<T>(s, students + at, stride, width, -Infinity);
    s = students + at;
    if (isRead) copyIn<T>(t, teachers + at, teacherStride, width, -Infinity);
    t = isRead ? teachers + at : s;
  }
  const label = labelOf(row);
  if (standardizes) {
    if (hard != 0) {
      if (isDecoupled) readOthers<T>(true, s, s, width, label, patch);
      else readAlone<T>(s, width, HARD_STEPS);
      store<f64>(record, studentMax, HARD_TOP);
      store<f64>(record, hardSum, HARD_SUM);
    }
    store<f64>(record, standardize<T>(s, columns), DEVIATION);
    if (t != s) {
      standardize<T>(t, teacherColumns);
      temper<T>(t, width);
    }
    if (isDecoupled) readOthers<T>(false, s, t, width, label, patch);
    else readRow<T>(false, s, t, width);
  } else {
    if (t != s) temper<T>(t, width);
    const mode = hard != 0 ? hardBeside(temperature) : NO_HARD;
    if (isDecoupled) readOthers<T>(mode == BY_ITSELF, s, t, width, label, patch);
    else readRow<T>(mode == BY_ITSELF, s, t, width);
    if (mode == BY_POWER) raise<T>(temperature as i32, width);
    store<f64>(record, studentMax, HARD_TOP);
    store<f64>(record, hardSum, HARD_SUM);
  }
  store<f64>(record, studentMax, STUDENT_TOP);
  store<f64>(record, teacherMax, TEACHER_TOP);
  store<f64>(record, qSum, Q_SUM);
  store<f64>(record, pSum, P_SUM);
  store<usize>(record, s, STUDENT_ROW);
  store<usize>(record, t, TEACHER_ROW);
}

/**
 * Computes two logarithms of a row in one vector: of Σp / Σq, and of the hard loss. The rows of a
 * batch do not wait for each other's logarithms.
 */
function takeLogs<T>(row: i32, index: i32, isDecoupled: bool): void {
  const record = recordOf(index);
  const label = labelOf(row);
  const hasHard = hardWeightOf(row) != 0;
  const isWeighed = hasHard && label >= 0 && !isDecoupled;
  recallHard(load<f64>(record, HARD_TOP), load<f64>(record, HARD_SUM));
  if (isWeighed) {
    selectRow(index);
    weighLabel<T>(label, width);
    store<f64>(record, hardRest, HARD_REST);
    store<f64>(record, hardTotal, HARD_TOTAL);
  }
  const hard = isWeighed ? logged : hasHard ? hardSum : 1;
  const hardAbove = isWeighed ? loggedAbove : hard - 1;
  const ratio = load<f64>(record, P_SUM) / load<f64>(record, Q_SUM);
  const both = logs(f64x2(ratio, hard), f64x2(ratio - 1, hardAbove));
  store<f64>(record, f64x2.extract_lane(both, 0), LOG_RATIO);
  const logarithm = f64x2.extract_lane(both, 1);
  if (isWeighed) labelLoss<T>(student + (row as usize) * stride, label, logarithm);
  store<f64>(record, isWeighed ? hardLoss : logarithm, HARD_LOG);
}

/** Returns the hard loss of a row; sets the factor of its exponentials in the gradient. */
function hardLossOf<T>(row: i32, record: usize, isDecoupled: bool): f64 {
  const hard = hardWeightOf(row);
  if (hard == 0) return 0;
  const label = labelOf(row);
  const raw = student + (row as usize) * stride;
  const logarithm = load<f64>(record, HARD_LOG);
  recallHard(load<f64>(record, HARD_TOP), load<f64>(record, HARD_SUM));
  if (label == DISTRIBUTION_ROW) {
    // The labels are subtracted after the row was written, see `write`.
    distributionLoss<T>(raw, distributions + (row as usize) * stride, columns, logarithm);
    hardFactor = (hard * scale * mass) / hardSum;
  } else {
    if (isDecoupled) classLossBeside<T>(raw, label, logarithm);
    else recallLabel(logarithm, load<f64>(record, HARD_REST), load<f64>(record, HARD_TOTAL));
    hardFactor = (hard * scale) / hardTotal;
  }
  return hard * hardLoss;
}

let hardFactor: f64 = 0;

/** Weight of the slopes of the current row. */
let softWeight: f64 = 0;

/**
 * Writes the gradient of a row, given its slopes and their weight. `own` is an additional slope of
 * the label.
 */
function write<T>(row: i32, from: usize, to: usize, record: usize, slopeWeight: f64, own: f64): void {
  const label = labelOf(row);
  const hard = hardWeightOf(row);
  const labelRow = distributions + (row as usize) * stride;
  // The slopes are with respect to logits / T, hence the division by the temperature.
  const weight = (softWeight * scale) / temperature;
  const a = (weight * slopeWeight) / pSum;
  const b = (-weight * slopeSum) / qSum;
  keep<T>(SLOPE_FACTOR, a);
  keep<T>(SOFT_FACTOR, b);
  keep<T>(HARD_FACTOR, hardFactor);
  // With `adds`, the row is added here, unless it is copied out, which adds it.
  const isAdded = adds && !isStaged;
  const place = label >= 0 ? (label as usize) * sizeof<T>() : 0;
  let atLabel: f64 = 0;
  if (standardizes) {
    finish<T>(false, false, from, to, width);
    if (own != 0) store<T>(to + place, (weight * own) as T);
    const s = load<usize>(record, STUDENT_ROW);
    clear(s + stride, width - stride);
    standardizeAdjoint<T>(s, to, width, columns, load<f64>(record, DEVIATION));
    atLabel = load<T>(to + place) as f64;
    if (hard != 0) addHard<T>(to, width);
  } else {
    atLabel = a * (load<T>(from + place) as f64) + b * (load<T>(qs + place) as f64) + weight * own;
    if (isAdded) atLabel += load<T>(to + place) as f64;
    finish<T>(hard != 0, isAdded, from, to, width);
  }
  if (hard != 0 || own != 0) {
    if (label == DISTRIBUTION_ROW) {
      subtractLabels<T>(labelRow, to, columns, hard * scale);
    } else {
      store<T>(to + place, (atLabel - (hard != 0 ? hardFactor * hardRest : 0)) as T);
    }
  }
  if (isStaged) copyOut<T>(to, gradient + (row as usize) * stride, stride, adds);
}

/** Family of terms that share a loop over the rows: the forward divergence alone. */
export class Forward {}
/** Family of all other terms, by the numbers below. */
export class Others {}

export const REVERSE: i32 = 0;
export const SKEW: i32 = 1;
export const SKEW_REVERSE: i32 = 2;
export const JENSEN_SHANNON: i32 = 3;
export const TOTAL_VARIATION: i32 = 4;
export const CORRELATION: i32 = 5;
export const DECOUPLED: i32 = 6;
export const ALPHA_BETA: i32 = 7;

/**
 * Returns the value of a term for a row. Slopes are relative to the slope of a sure class, see
 * `refer`.
 */
function evaluate<K, T>(s: usize, t: usize, output: usize): f64 {
  if (idof<K>() != idof<ForwardKL>()) refer<K, T>(s, t, output, width);
  return termOf<K, T>(s, t, output, 0, width);
}

/** Returns the value of the term with a number, for a row. */
function evaluateOther<T>(term: i32, row: i32, s: usize, t: usize, output: usize, logRatio: f64): f64 {
  switch (term) {
    case REVERSE: return evaluate<ReverseKL, T>(s, t, output);
    case SKEW: return evaluate<SkewKL, T>(s, t, output);
    case SKEW_REVERSE: return evaluate<SkewReverseKL, T>(s, t, output);
    case JENSEN_SHANNON: return evaluate<JensenShannon, T>(s, t, output);
    case TOTAL_VARIATION:
      // Without a teacher there is nothing to rank.
      if (ranks && t != s) return rankedVariation<T>(s, t, output);
      return evaluate<TotalVariation, T>(s, t, output);
    case CORRELATION: {
      // The weight of the row goes into its own slopes, because the slopes of the columns, which
      // are added, have no row weight.
      const value = softWeight * correlate<T>(s, t, softWeight);
      softWeight = 1;
      return value + evaluate<Correlation, T>(s, t, output);
    }
    case ALPHA_BETA: {
      settleRatio<T>(s, t, width);
      placePowers<T>(logRatio);
      return evaluate<AlphaBeta, T>(s, t, output);
    }
  }
  return decouple<T>(s, t, output, width, labelOf(row), temperature, option, otherOption);
}

/** Computes loss and gradient of the rows from `first` on. */
export function rowsOf<F, T>(term: i32, call: usize, workspace: usize, first: i32, count: i32): void {
  const isDecoupled = idof<F>() == idof<Others>() && term == DECOUPLED;
  begin<T>(call, workspace);
  const last = first + count;
  for (; first < last; first += batch) {
    const n = min(batch, last - first);
    for (let k = 0; k < n; k++) if (labelOf(first + k) != EXCLUDED_ROW) read<T>(first + k, k, isDecoupled);
    for (let k = 0; k < n; k++) if (labelOf(first + k) != EXCLUDED_ROW) takeLogs<T>(first + k, k, isDecoupled);
    for (let k = 0; k < n; k++) {
      const row = first + k;
      const output = gradient ? gradient + (row as usize) * stride : 0;
      if (labelOf(row) == EXCLUDED_ROW) {
        leaveOut(row, 0);
        continue;
      }
      const record = recordOf(k);
      selectRow(k);
      selectTemperature<T>(row);
      recall(
        load<f64>(record, STUDENT_TOP), load<f64>(record, TEACHER_TOP), load<f64>(record, Q_SUM),
        load<f64>(record, P_SUM),
      );
      if (!isFinite(qSum + pSum)) {
        leaveOut(row, NaN);
        continue;
      }
      const s = load<usize>(record, STUDENT_ROW);
      const t = load<usize>(record, TEACHER_ROW);
      const logRatio = load<f64>(record, LOG_RATIO);
      placeRatio<T>(temperature, pSum / qSum, logRatio);
      softWeight = softWeightOf(row);
      // Slopes are written to the gradient itself, if it is whole vectors and overwritten.
      const to = isStaged && output ? outputs : output;
      const from = to == 0 || (adds && !isStaged) ? slopes : to;
      let value: f64 = 0;
      if (idof<F>() == idof<Forward>()) value = evaluate<ForwardKL, T>(s, t, from);
      else value = evaluateOther<T>(term, row, s, t, from, logRatio);
      const loss = softWeight * value + hardLossOf<T>(row, record, isDecoupled);
      if (!isFinite(loss)) {
        leaveOut(row, loss);
        continue;
      }
      putLoss(row, loss);
      if (to == 0) continue;
      if (isDecoupled) write<T>(row, from, to, record, otherOption, oddsSlope);
      else write<T>(row, from, to, record, 1, 0);
    }
  }
}
