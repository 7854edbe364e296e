import { writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { type Digits, split } from '../../digits/data.js';
import { PIXELS } from '../../digits/images.js';
import { readDigits } from '../../digits/mnist.js';
import { SETTINGS } from '../worker/settings.js';
import { encodeDigits } from './encoding.js';

/** Of the digits that the teacher was trained on, those that a student sees. */
const TRAINING_IMAGES = 3000;
/** Of the digits that it was not trained on, those that both are judged by. */
const HELD_OUT_IMAGES = 500;

/** The split that the teacher was trained on. */
export function splitDigits(): { training: Digits; heldOut: Digits } {
  return split(readDigits(), SETTINGS.heldOut, SETTINGS.seeds[0]!);
}

/** Of either side, what the page loads. */
export function chooseDigits(): { training: Digits; heldOut: Digits } {
  const { training, heldOut } = splitDigits();
  return { training: first(TRAINING_IMAGES, training), heldOut: first(HELD_OUT_IMAGES, heldOut) };
}

function first(count: number, { images, labels }: Digits): Digits {
  return { images: images.subarray(0, count * PIXELS), labels: labels.subarray(0, count) };
}

/**
 * Writes what the worker loads from what npm has installed: the digits themselves are not in the
 * repository.
 */
export const digits: Plugin = {
  name: 'digits',
  buildStart() {
    const { training, heldOut } = chooseDigits();
    writeFileSync(new URL('training.bin', import.meta.url), deflateSync(encodeDigits(training)));
    writeFileSync(new URL('held-out.bin', import.meta.url), deflateSync(encodeDigits(heldOut)));
  },
};
