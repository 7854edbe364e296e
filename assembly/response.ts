// The response loss of rows of logits, and its gradient:
//
//     (1 − α) · w · KL(p ‖ q) + α · CE,   p = softmax(teacher / T), q = softmax(student / T), CE at T = 1
//
// A row is read in blocks that stay in the first-level cache. Of each block: the largest logit on either side, then
// all exponentials, which are kept, and their sums. When the row is through, the sums give the loss, and a second pass
// over the exponentials gives the gradient; it needs no further ones.
//
// Where digits cancel (q close to p) the second pass is another, careful one. Where a number is out of the ordinary
// (NaN, ruled out on one side alone, too large for the format) the loss of the row comes out NaN, and its gradient
// means nothing: the caller has other means for such rows.

import { power, unit } from './exp';
import { carefulSoft, writeGradient } from './gradient';
import { first, splat } from './lanes';
import { log, logOnePlus } from './log';
import {
  beginRows, dot, hardRest, hardScale, hardSum, labelPlace, LOWEST, pSum, qs, qSum, readRow, scale, studentMax, teacherMax,
} from './row';
import { BY_ITSELF, hardBeside, NO_HARD, scaled } from './softmax';

/** A divergence below this many nats has lost digits. */
const CANCELS: f64 = 0.25;

/**
 * One row: returns its loss, and writes `outer` × its gradient if `gradient` is not 0.
 *
 * @param softWeight - of the divergence, all that stands before it
 * @param label - the true class, or −1
 * @param alpha - the weight of the hard term
 */
function responseOfRow<T>(
  student: usize,
  teacher: usize,
  gradient: usize,
  label: i32,
  temperature: f64,
  softWeight: f64,
  alpha: f64,
  outer: f64,
): f64 {
  const soft = label < 0 || alpha < 1;
  const hard = label < 0 || alpha == 0 ? NO_HARD : soft ? hardBeside(temperature) : BY_ITSELF;
  readRow<T>(student, soft ? teacher : student, soft, hard);
  // Such rows cannot be told from what pads them.
  if (studentMax < LOWEST || (soft && teacherMax < LOWEST)) return NaN;
  // Told before the logarithms, to which a NaN is a number like any other.
  if (!isFinite(hardSum) || !isFinite(qSum + pSum + dot)) return NaN;
  let loss: f64 = 0;
  let hardLabel: f64 = 0; // d CE / d logit of the label: q − 1
  if (hard != NO_HARD) {
    const logit = splat<T>(load<T>(student + labelPlace<T>(label)) as f64);
    const c = hard == BY_ITSELF ? hardScale : scale;
    const x = first<T>(scaled<T>(logit, splat<T>(studentMax), splat<T>(c)));
    const height = hard == BY_ITSELF ? x : x * (hard as f64);
    const e = power<T>(height);
    const rest = e > 0.5 * hardSum ? hardRest<T>(label) : hardSum - e;
    const ce = rest < e ? logOnePlus(rest / e) : log(hardSum) - height * unit<T>();
    hardLabel = -rest / hardSum;
    loss = alpha * ce;
  }
  const softFactor = soft ? (softWeight / temperature) * outer : 0;
  let isClose = false;
  if (soft) {
    let divergence = (dot / pSum) * unit<T>() + log(qSum / pSum);
    isClose = divergence < CANCELS;
    // Without a gradient to write, the student's exponentials, of no use any more, are written over.
    if (isClose) divergence = carefulSoft<T>(student, teacher, gradient ? gradient : qs, softFactor);
    loss += softWeight * divergence;
  }
  if (gradient) writeGradient<T>(student, teacher, gradient, label, isClose, softFactor, alpha * outer, hardLabel);
  return loss;
}

export function response<T>(
  student: usize,
  teacher: usize,
  gradient: usize,
  labels: usize,
  losses: usize,
  rows: i32,
  bytes: usize,
  temperature: f64,
  temperatureFactor: f64,
  alpha: f64,
  outer: f64,
): void {
  beginRows<T>(bytes, temperature);
  for (let row = 0; row < rows; row++) {
    const label = labels ? load<i32>(labels + ((row as usize) << 2)) : -1;
    const offset = (row as usize) * bytes;
    const target = gradient ? gradient + offset : 0;
    const weight = label < 0 ? 0 : alpha;
    const softWeight = (1 - weight) * temperatureFactor;
    const loss = responseOfRow<T>(
      student + offset,
      teacher + offset,
      target,
      label,
      temperature,
      softWeight,
      weight,
      outer,
    );
    store<f64>(losses + ((row as usize) << 3), loss);
  }
}
