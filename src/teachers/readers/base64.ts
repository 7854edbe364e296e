import { refuse, throwShape } from '../../core/errors.js';
import type { Part } from './part.js';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Decodes an array of numbers of 4 bytes, little endian.
 *
 * @param shape - the sizes of the array
 * @param hint - how to get it, where it is missing
 */
export function readNumbers(
  part: Part,
  format: 'float32' | 'int32',
  shape: readonly number[],
  hint: string,
): Float32Array | Int32Array {
  const bytes = decodeBase64(part, hint);
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes.length !== 4 * count) {
    const why = `bytes of ${format} of shape [${shape.join(', ')}]`;
    throwShape(part.operation, part.place, [bytes.length], [4 * count], why);
  }
  const view = new DataView(bytes.buffer);
  return format === 'float32'
    ? Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true))
    : Int32Array.from({ length: count }, (_, i) => view.getInt32(4 * i, true));
}

function decodeBase64(part: Part, hint: string): Uint8Array<ArrayBuffer> {
  const text = part.text(hint);
  // atob alone takes spaces, too, and text without its padding.
  if (text.length % 4 !== 0 || !BASE64.test(text)) {
    const received = `${text.length} characters`;
    refuse('OUT_OF_RANGE', part.operation, part.place, 'be base64, in full', received);
  }
  const binary = atob(text);
  return Uint8Array.from({ length: binary.length }, (_, i) => binary.charCodeAt(i));
}
