import { writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { type Digits, split } from '../../digits/data.js';
import { PIXELS } from '../../digits/images.js';
import { readDigits } from '../../digits/mnist.js';
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

function first(count: number, { images, labels }: Digits): Digits {
  return { images: images.subarray(0, count * PIXELS), labels: labels.subarray(0, count) };
}

/**
 * Writes the files of digits that the worker loads. They come from the npm package, since the
 * repository does not hold them.
 */
export const digits: Plugin = {
  name: 'digits',
  buildStart() {
    const { training, heldOut } = chooseDigits();
    writeFileSync(new URL('training.bin', import.meta.url), deflateSync(encodeDigits(training)));
    writeFileSync(new URL('held-out.bin', import.meta.url), deflateSync(encodeDigits(heldOut)));
  },
};
