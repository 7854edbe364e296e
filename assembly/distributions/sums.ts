// Sums of rows of labels, for the check that they are distributions.

import { RUN, splat, sum, VECTOR } from '../shared/lanes';
import { begin, putLoss, stride, student } from '../shared/call';

/** Writes the sum of each row to the table of losses; NaN if an element is negative. */
export function sumsOf<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  begin<T>(call, workspace);
  const whole = stride - (stride % VECTOR);
  const zero = splat<T>(0);
  for (let row = first; row < first + count; row++) {
    const from = student + (row as usize) * stride;
    let total: f64 = 0;
    let isNegative = zero;
    let i: usize = 0;
    while (i < whole) {
      const end = min(i + RUN, whole);
      let run = zero;
      for (; i < end; i += VECTOR) {
        const y = v128.load(from + i);
        run = v128.add<T>(run, y);
        isNegative = v128.or(isNegative, v128.lt<T>(y, zero));
      }
      total += sum<T>(run);
    }
    let isAllowed = !v128.any_true(isNegative);
    for (; i < stride; i += sizeof<T>()) {
      const y = load<T>(from + i) as f64;
      total += y;
      isAllowed = isAllowed && y >= 0;
    }
    putLoss(row, isAllowed ? total : NaN);
  }
}
