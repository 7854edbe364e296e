// The softmaxes of one row of doubles with their logarithms, and the adjoint of the softmax. A
// divergence that is written in JavaScript computes in between.

import { LOSSES } from '../../src/engine/layout';
import { log } from '../shared/log';
import { madd, nmadd, RUN, splat, sum, VECTOR } from '../shared/lanes';
import { begin, columns, isStaged, scale, softWeightOf, standardizes, stride, student, teacher, temperature, width } from '../shared/call';
import { pSum, qSum, readRow, studentMax, teacherMax } from './read';
import { temper } from './temper';
import { clear, copyIn } from '../shared/stage';
import { standardize, standardizeAdjoint } from '../shared/standardize';
import { ps, qs, students, teachers, selectRow } from '../shared/workspace';

let deviation: f64 = 0;

/**
 * Writes p, q, log p and log q of the row to four rows of doubles from the address LOSSES on.
 */
export function openRow(call: usize, workspace: usize, row: i32, _count: i32): void {
  begin<f64>(call, workspace);
  selectRow(0);
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
  normalize(ps, t, pSum, teacherMax, to, to + 2 * width);
  normalize(qs, s, qSum, studentMax, to + width, to + 3 * width);
}

/**
 * Computes a distribution and its logarithms from its exponentials and logits. The distribution
 * also overwrites the exponentials.
 */
function normalize(exponentials: usize, logits: usize, total: f64, top: f64, to: usize, toLog: usize): void {
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
 * Turns the slopes d(loss) / d(log q), which follow the four rows, into the derivative of the soft
 * loss with respect to the logits, times its weight and the scale. Subtracting a multiple of q from
 * the slopes does not change the result. The multiple is chosen so that the slope of the most
 * likely class becomes 0, which avoids cancellation.
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
