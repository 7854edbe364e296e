// The softmax of a row without the classes that stand aside: these come as what pads a row does, so low that they add nothing.

import { plainGradient } from './gradient';
import { log } from './log';
import { beginRows, hardSum, LOWEST, readRow, studentMax } from './row';
import { BY_ITSELF } from './softmax';

/** log Σ e^(z / T) of a row of so many bytes; NaN where there is no class, or a number is out of the ordinary. */
export function readTail<T>(row: usize, bytes: usize, temperature: f64): f64 {
  beginRows<T>(bytes, temperature, temperature);
  readRow<T>(row, row, false, BY_ITSELF);
  if (studentMax < LOWEST || !isFinite(hardSum)) return NaN;
  return studentMax / temperature + log(hardSum);
}

/** output = factor × what each class has of the sum that was read last. */
export function writeTail<T>(output: usize, factor: f64): void {
  plainGradient<T>(output, 0, factor);
}
