// d = log q − log p of every class, from the logits: small differences keep the digits that p and q lose.

import { keep, APART, GAP, INVERSE, Q_FACTOR, REST } from '../shared/workspace';
import { studentMax, teacherMax } from './read';

/** Places what d is made of, given Σp / Σq of the exponentials and its logarithm. */
export function placeRatio<T>(temperature: f64, ratio: f64, logRatio: f64): void {
  const distance = abs(studentMax - teacherMax);
  // Where the largest logits are close, student − teacher is exact. Elsewhere their distance goes first.
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
