// d = log q − log p of every class, computed from the logits: p and q would lose the digits of a
// small difference.

import { first, madd, RUN, splat, sum, VECTOR } from '../shared/lanes';
import { keep, APART, GAP, INVERSE, ps, Q_FACTOR, qs, REST, take } from '../shared/workspace';
import { pSum, studentMax, teacherMax } from './read';
import { differenceOf } from './terms';

/** Writes the constants of d, given Σp / Σq of the exponentials and its logarithm. */
export function placeRatio<T>(temperature: f64, ratio: f64, logRatio: f64): void {
  const distance = abs(studentMax - teacherMax);
  // If the largest logits are close, student − teacher is exact. Otherwise their distance is
  // subtracted first.
  const isNear = distance < 1 || distance < 0.5 * max(abs(studentMax), abs(teacherMax));
  const apart = isNear ? 0 : (((studentMax - teacherMax) as T) as f64);
  const inverse = ((1 / temperature) as T) as f64;
  // log q − log p = (s − max s) / T − log Σq − (t − max t) / T + log Σp
  const shift = logRatio + (apart - (studentMax - teacherMax)) * inverse;
  const gap = ((-shift * temperature) as T) as f64;
  keep<T>(APART, apart);
  keep<T>(INVERSE, inverse);
  keep<T>(GAP, gap);
  keep<T>(REST, shift + gap * inverse);
  keep<T>(Q_FACTOR, ratio);
}

/** Returns d of a vector of classes. */
@inline
export function distanceOf<T>(student: v128, teacher: v128, apart: v128, gap: v128, inverse: v128, rest: v128): v128 {
  const x = v128.sub<T>(student, apart);
  return madd<T>(v128.sub<T>(v128.sub<T>(x, teacher), gap), inverse, rest);
}

/**
 * Corrects the rounding error of d, which is the same for every class and makes Σ (q − p) differ
 * from 0. Most losses need no correction: the error adds a multiple of q to their slopes, which the
 * adjoint of the softmax removes.
 */
export function settleRatio<T>(student: usize, teacher: usize, width: usize): void {
  const factor = take<T>(Q_FACTOR);
  const apart = take<T>(APART), gap = take<T>(GAP), inverse = take<T>(INVERSE), rest = take<T>(REST);
  const fromQ = qs;
  const fromP = ps;
  let excess: f64 = 0;
  let i: usize = 0;
  while (i < width) {
    const end = min(i + RUN, width);
    let run = splat<T>(0);
    for (; i < end; i += VECTOR) {
      const q = v128.mul<T>(v128.load(fromQ + i), factor);
      const d = distanceOf<T>(v128.load(student + i), v128.load(teacher + i), apart, gap, inverse, rest);
      run = v128.add<T>(run, differenceOf<T>(q, v128.load(fromP + i), d));
    }
    excess += sum<T>(run);
  }
  keep<T>(REST, first<T>(rest) - excess / pSum);
}
