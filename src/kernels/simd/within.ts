import type { FloatArray } from '../../numeric.js';
import { arenaKernel, arenaOf } from '../arenas.js';
import { simdKernel } from '../choice.js';
import { isWithin } from '../within.js';
import { floats, reserveBeside, type Simd } from './instance.js';

/** Numbers are copied in pieces of so many bytes. */
const PIECE = 65536;

/** {@link isWithin}, by the kernel that was chosen. */
export function isWithinFast(values: FloatArray, limit: number): boolean {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: size } = values;
  const inArena = arenaKernel(arenaOf(buffer), 0);
  if (inArena) {
    const scratch = reserveBeside(inArena, 0);
    return look(inArena, size, byteOffset, byteLength, limit, scratch);
  }
  const simd = simdKernel();
  if (!simd) return isWithin(values, limit);
  const scratch = reserveBeside(simd, PIECE + 16);
  const memory = floats(simd, values);
  const start = scratch + 16;
  for (let i = 0; i < values.length; i += PIECE / size) {
    const piece = values.subarray(i, i + PIECE / size);
    memory.set(piece, start / size);
    if (!look(simd, size, start, piece.byteLength, limit, scratch)) return false;
  }
  return true;
}

function look(
  { kernels }: Simd,
  size: number,
  address: number,
  bytes: number,
  limit: number,
  scratch: number,
): boolean {
  const kernel = size === 8 ? kernels.within64 : kernels.within32;
  return kernel(address, bytes, limit, scratch) !== 0;
}
