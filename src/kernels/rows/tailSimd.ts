import type { FloatArray } from '../../core/numeric.js';
import { simdKernel } from '../../engine/choice.js';
import { copyIn, PADDING } from '../../engine/copy.js';
import { align, floats, reserve } from '../../engine/instance.js';

/** The tails of rows, one at a time. */
export interface Tails {
  /** log Σ e^(z / T) of the row from `offset` on, without the columns `kept`; −Infinity where no other is possible. */
  read(offset: number, temperature: number, kept: Int32Array): number;
  /** `factor` times what each column has of that sum, 0 for those kept; for the row that was read last, until the next. */
  spread(factor: number): FloatArray;
}

/** The tails of rows of logits; `undefined` where there is no such kernel. */
export function fastTails(values: FloatArray, columns: number): Tails | undefined {
  const simd = simdKernel();
  if (!simd) return undefined;
  const size = values.BYTES_PER_ELEMENT;
  const rowBytes = align(columns * size);
  const row = reserve(simd, rowBytes, rowBytes); // first the logits, then what is written
  const memory = floats(simd, values);
  const { kernels } = simd;
  const [read, write] =
    size === 8
      ? [kernels.readTail64, kernels.writeTail64]
      : [kernels.readTail32, kernels.writeTail32];
  return {
    read(offset, temperature, kept) {
      copyIn(values, offset, columns, 1, memory, row, rowBytes);
      for (const column of kept) memory[row / size + column] = PADDING;
      return read(row, rowBytes, temperature);
    },
    spread(factor) {
      write(row, factor);
      return memory.subarray(row / size, row / size + columns);
    },
  };
}
