// The two halves around a term in JavaScript, for one row of doubles: its distributions with their
// logarithms, then what the slopes by log q make of the logits.

import { LOSSES } from '../../src/engine/layout';
import { log } from '../shared/log';
import { madd, nmadd, RUN, splat, sum, VECTOR } from '../shared/lanes';
import { begin, columns, isStaged, scale, softWeightOf, standardizes, stride, student, teacher, temperature, width } from '../shared/call';
import { pSum, qSum, readRow, studentMax, teacherMax } from './read';
import { temper } from './temper';
import { clear, copyIn } from '../shared/stage';
import { standardize, standardizeAdjoint } from '../shared/standardize';
import { ps, qs, students, teachers, turnTo } from '../shared/workspace';

let deviation: f64 = 0;

/**
 * Writes p, q, log p and log q of the row to four rows of doubles, which start where the losses are
 * to be written.
 */
export function openRow(call: usize, workspace: usize, row: i32, _count: i32): void {
  begin<f64>(call, workspace);
  turnTo(0);
  let s = student + (row as usize) * stride;
  let t = teacher + (row as usize) * stride;
  if (isStaged) {
    copyIn<f64>(s, students, stride, width, -Infinity);
    copyIn<f64>(t, teachers, stride, width, -Infinity);
    s = students;
    t = teachers;
  }
  if (standardizes) {
    deviation = standardize<f64>(s, columns);
    standardize<f64>(t, columns);
  }
  temper<f64>(t, width);
  readRow<f64>(false, s, t, width);
  const to = load<usize>(call, LOSSES);
  share(ps, t, pSum, teacherMax, to, to + 2 * width);
  share(qs, s, qSum, studentMax, to + width, to + 3 * width);
}

/**
 * A distribution and its logarithms, from its exponentials and logits. The exponentials become the
 * distribution too.
 */
function share(exponentials: usize, logits: usize, total: f64, top: f64, to: usize, toLog: usize): void {
  const factor = splat<f64>(1 / total);
  const inverse = splat<f64>(1 / temperature);
  const largest = splat<f64>(top);
  const logTotal = splat<f64>(-log(total));
  for (let i: usize = 0; i < width; i += VECTOR) {
    const probability = v128.mul<f64>(v128.load(exponentials + i), factor);
    v128.store(exponentials + i, probability);
    v128.store(to + i, probability);
    const below = v128.sub<f64>(v128.load(logits + i), largest);
    v128.store(toLog + i, madd<f64>(below, inverse, logTotal));
  }
}

/**
 * Turns the slopes by log q, which stand behind the four rows, into the derivative of the soft loss
 * by the logits, times its weight and the scale. For a slope less any multiple of q the result is
 * the same: here the one of which nothing is left at the likeliest class.
 */
export function closeRow(call: usize, _workspace: usize, row: i32, _count: i32): void {
  const slopes = load<usize>(call, LOSSES) + 4 * width;
  clear(slopes + stride, width - stride);
  let top: usize = 0;
  for (let i: usize = 0; i < stride; i += 8) if (load<f64>(qs + i) > load<f64>(qs + top)) top = i;
  const multiple = load<f64>(slopes + top) / load<f64>(qs + top);
  store<f64>(slopes + top, 0);
  const lost = splat<f64>(multiple);
  const q = load<f64>(qs + top);
  store<f64>(qs + top, 0);
  let total: f64 = 0;
  let i: usize = 0;
  while (i < width) {
    const end = min(i + RUN, width);
    let run = splat<f64>(0);
    for (; i < end; i += VECTOR) {
      const slope = nmadd<f64>(v128.load(qs + i), lost, v128.load(slopes + i));
      v128.store(slopes + i, slope);
      run = v128.add<f64>(run, slope);
    }
    total += sum<f64>(run);
  }
  store<f64>(qs + top, q);
  const weight = (softWeightOf(row) * scale) / temperature;
  const factor = splat<f64>(weight);
  const shared = splat<f64>(-weight * total);
  for (let i: usize = 0; i < width; i += VECTOR) {
    v128.store(slopes + i, madd<f64>(v128.load(qs + i), shared, v128.mul<f64>(v128.load(slopes + i), factor)));
  }
  if (!standardizes) return;
  clear(students + stride, width - stride);
  standardizeAdjoint<f64>(students, slopes, width, columns, deviation);
}
