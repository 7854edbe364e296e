import { gatherRows } from '../shared/batches.js';
import { Random } from '../shared/random.js';
import { PIXELS } from './images.js';

export const CLASSES = 10;

export interface Digits {
  /** One image after the other, each PIXELS long, patch by patch. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

/** `heldOutCount` of the digits on one side, the others on the other. */
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

/** The chosen images and labels, in the order of `indices`. */
function select(digits: Digits, indices: Int32Array): Digits {
  return {
    images: gatherRows(digits.images, PIXELS, indices),
    labels: Int32Array.from(indices, (index) => digits.labels[index]!),
  };
}
