import type { Digits } from '../../digits/data.js';
import { PIXELS } from '../../digits/images.js';

/** Number of bytes of the teacher and of all images, near enough for a progress bar. */
export const ALL_BYTES = 733_000;

/** Encodes all images with one byte per pixel, then all labels with one byte each. */
export function encodeDigits({ images, labels }: Digits): Uint8Array {
  const bytes = new Uint8Array(images.length + labels.length);
  bytes.set(images.map((pixel) => Math.round(255 * pixel)));
  bytes.set(labels, images.length);
  return bytes;
}

export function decodeDigits(bytes: Uint8Array): Digits {
  const count = bytes.length / (PIXELS + 1);
  return {
    images: Float32Array.from(bytes.subarray(0, count * PIXELS), (pixel) => pixel / 255),
    labels: Int32Array.from(bytes.subarray(count * PIXELS)),
  };
}
