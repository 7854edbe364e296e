import { writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { CLASSES, type Digits, split } from '../../digits/data.js';
import { PIXELS } from '../../digits/images.js';
import { readDigits } from '../../digits/mnist.js';
import { gatherRows } from '../../shared/batches.js';
import { SETTINGS } from '../worker/settings.js';
import { encodeDigits } from './encoding.js';

/** Number of the teacher's training images that a student sees. */
const TRAINING_IMAGES = 3000;
/** Number of the teacher's held-out images by which both models are judged. */
const HELD_OUT_IMAGES = 500;

/** Returns the split on which the teacher was trained. */
export function splitDigits(): { training: Digits; heldOut: Digits } {
  return split(readDigits(), SETTINGS.heldOut, SETTINGS.seeds[0]!);
}

/** Returns the digits of each part that the page loads. */
export function chooseDigits(): { training: Digits; heldOut: Digits } {
  const { training, heldOut } = splitDigits();
  return { training: first(TRAINING_IMAGES, training), heldOut: first(HELD_OUT_IMAGES, heldOut) };
}

/** Returns one held-out image of each digit, from 0 to 9. */
export function chooseSamples({ images, labels }: Digits): Digits {
  const digits = Int32Array.from({ length: CLASSES }, (_, digit) => digit);
  const chosen = digits.map((digit) => labels.indexOf(digit));
  return { images: gatherRows(images, PIXELS, chosen), labels: digits };
}

function first(count: number, { images, labels }: Digits): Digits {
  return { images: images.subarray(0, count * PIXELS), labels: labels.subarray(0, count) };
}

/**
 * Writes the files of digits that the page loads. They come from the npm package, since the
 * repository does not hold them.
 */
export const digits: Plugin = {
  name: 'digits',
  buildStart() {
    const { training, heldOut } = chooseDigits();
    write('training.bin', training);
    write('held-out.bin', heldOut);
    write('samples.bin', chooseSamples(heldOut));
  },
};

function write(file: string, content: Digits): void {
  writeFileSync(new URL(file, import.meta.url), deflateSync(encodeDigits(content)));
}
