import type { FloatArray } from '../../numeric.js';
import { simdKernel } from '../choice.js';
import type { Tails } from '../tail.js';
import { copyIn, PADDING } from './copy.js';
import { align, floats, reserve } from './instance.js';

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
