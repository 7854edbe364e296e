import { refuse, throwShape } from '../../core/errors.js';
import type { ReplyNode } from './replyNode.js';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Decodes an array of 4-byte numbers, little endian.
 *
 * @param shape - the shape of the array
 * @param hint - how to get the array if it is missing
 */
export function readNumbers(
  node: ReplyNode,
  format: 'float32' | 'int32',
  shape: readonly number[],
  hint: string,
): Float32Array | Int32Array {
  const bytes = decodeBase64(node, hint);
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes.length !== 4 * count) {
    const why = `bytes of ${format} of shape [${shape.join(', ')}]`;
    throwShape(node.operation, node.place, [bytes.length], [4 * count], why);
  }
  const view = new DataView(bytes.buffer);
  return format === 'float32'
    ? Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true))
    : Int32Array.from({ length: count }, (_, i) => view.getInt32(4 * i, true));
}

function decodeBase64(node: ReplyNode, hint: string): Uint8Array<ArrayBuffer> {
  const text = node.text(hint);
  // atob also accepts spaces, and text without its padding.
  if (text.length % 4 !== 0 || !BASE64.test(text)) {
    const received = `${text.length} characters`;
    refuse('OUT_OF_RANGE', node.operation, node.place, 'be base64, in full', received);
  }
  const binary = atob(text);
  return Uint8Array.from({ length: binary.length }, (_, i) => binary.charCodeAt(i));
}
