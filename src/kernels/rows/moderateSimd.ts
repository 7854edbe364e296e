import type { FloatArray } from '../../core/numeric.js';
import { arenaKernel, arenaOf } from '../../engine/arenas.js';
import { simdKernel } from '../../engine/choice.js';
import { floats, reserve, type Simd } from '../../engine/instance.js';

/** Numbers are copied in pieces of so many bytes. */
const PIECE = 65536;

/** Whether no value is extreme; `undefined` where there is no kernel to see. */
export function isModerateFast(values: FloatArray): boolean | undefined {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: size } = values;
  const inArena = arenaKernel(arenaOf(buffer), 0);
  if (inArena) return look(inArena, size, byteOffset, byteLength);
  const simd = simdKernel();
  if (!simd) return undefined;
  const start = reserve(simd, 0, PIECE);
  const memory = floats(simd, values);
  for (let i = 0; i < values.length; i += PIECE / size) {
    const piece = values.subarray(i, i + PIECE / size);
    memory.set(piece, start / size);
    if (!look(simd, size, start, piece.byteLength)) return false;
  }
  return true;
}

function look({ kernels }: Simd, size: number, address: number, bytes: number): boolean {
  return (size === 8 ? kernels.moderate64 : kernels.moderate32)(address, bytes) !== 0;
}
