import { decodeHalf, type FloatFormat, HALF, roundTo } from '../../../core/half.js';

/** A dtype of DistillKit. */
export interface Dtype {
  readonly bytes: number;
  /** Decodes `count` numbers, little endian. */
  read(view: DataView, offset: number, count: number): ArrayLike<number>;
  /** Rounds a number to the nearest value of the dtype. */
  round(value: number): number;
}

/** Reads 2-byte words, little endian. */
function readWords(view: DataView, offset: number, count: number): Uint16Array {
  return Uint16Array.from({ length: count }, (_, i) => view.getUint16(offset + 2 * i, true));
}

/** Decodes bfloat16, which is the upper half of float32. */
function decodeBfloat16(words: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer);
}

const BFLOAT16: FloatFormat = { digits: 8, least: -133, largest: (2 - 2 ** -7) * 2 ** 127 };

/** The dtypes by their names in the configuration. */
export const dtypes: Readonly<Record<'float16' | 'bfloat16' | 'float32' | 'float64', Dtype>> = {
  float16: {
    bytes: 2,
    read: (view, offset, count) => decodeHalf(readWords(view, offset, count)),
    round: (value) => roundTo(value, HALF),
  },
  bfloat16: {
    bytes: 2,
    read: (view, offset, count) => decodeBfloat16(readWords(view, offset, count)),
    round: (value) => roundTo(value, BFLOAT16),
  },
  float32: {
    bytes: 4,
    read: (view, offset, count) =>
      Float32Array.from({ length: count }, (_, i) => view.getFloat32(offset + 4 * i, true)),
    round: Math.fround,
  },
  float64: {
    bytes: 8,
    read: (view, offset, count) =>
      Float64Array.from({ length: count }, (_, i) => view.getFloat64(offset + 8 * i, true)),
    round: (value) => value,
  },
};
