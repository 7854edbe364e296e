// The classes of a row that are left when some stand aside.

import type { FloatArray } from '../../core/numeric.js';
import { logSumExp } from './logSumExp.js';
import { soften } from './soften.js';
import { fastTails, type Tails } from './tailSimd.js';

export function tails(values: FloatArray, columns: number): Tails {
  const plain = plainTails(values, columns);
  const fast = fastTails(values, columns);
  let last = fast ?? plain;
  return {
    read(offset, temperature, kept) {
      last = fast ?? plain;
      const log = last.read(offset, temperature, kept);
      if (last === plain || !Number.isNaN(log)) return log;
      last = plain; // a number is out of the ordinary
      return plain.read(offset, temperature, kept);
    },
    spread: (factor) => last.spread(factor),
  };
}

function plainTails(values: FloatArray, columns: number): Tails {
  let scratch: Record<'x' | 'shares' | 'output', Float64Array> | undefined; // few calls need it
  const room = () => new Float64Array(columns);
  return {
    read(offset, temperature, kept) {
      scratch ??= { x: room(), shares: room(), output: room() };
      const { x, shares } = scratch;
      soften(values, offset, temperature, x);
      for (const column of kept) x[column] = -Infinity;
      return logSumExp(x, 0, shares);
    },
    spread(factor) {
      const { shares, output } = scratch!;
      for (let j = 0; j < columns; j++) output[j] = factor * shares[j]!;
      return output;
    },
  };
}
