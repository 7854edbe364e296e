import { gatherRows } from '../shared/batches.js';
import { Random } from '../shared/random.js';
import { PIXELS } from './images.js';

export const CLASSES = 10;

export interface Digits {
  /** All images, one after the other, each of PIXELS values in the order of its patches. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

/** Splits digits into `heldOutCount` random ones and all others. */
export function split(
  digits: Digits,
  heldOutCount: number,
  seed: number,
): { training: Digits; heldOut: Digits } {
  const order = new Random(seed, 'split').shuffle(Int32Array.from(digits.labels.keys()));
  return {
    heldOut: select(digits, order.subarray(0, heldOutCount)),
    training: select(digits, order.subarray(heldOutCount)),
  };
}

/** Returns the images and labels at `indices`, in this order. */
function select(digits: Digits, indices: Int32Array): Digits {
  return {
    images: gatherRows(digits.images, PIXELS, indices),
    labels: Int32Array.from(indices, (index) => digits.labels[index]!),
  };
}
