import { UNLABELED } from 'knowledge-distillation';
import { batchesOf } from '../shared/batches.js';
import type { Random } from '../shared/random.js';
import { CLASSES } from './data.js';

/** Chooses `perClass` random images of every class. */
export function chooseStratified(labels: Int32Array, perClass: number, random: Random): Int32Array {
  const order = random.shuffle(Int32Array.from(labels.keys()));
  return Int32Array.from(
    Array.from({ length: CLASSES }, (_, digit) =>
      Array.from(order.filter((index) => labels[index] === digit).subarray(0, perClass)),
    ).flat(),
  );
}

/** Returns the labels with UNLABELED for all images but `known`. */
export function hideLabels(labels: Int32Array, known: Int32Array): Int32Array {
  const visible = new Int32Array(labels.length).fill(UNLABELED);
  for (const index of known) visible[index] = labels[index]!;
  return visible;
}

/**
 * Yields batches that start with `labelledSize` images from `labelled`; the others are drawn from
 * all `count` images.
 */
export function* mixedBatches(
  labelled: Int32Array,
  labelledSize: number,
  count: number,
  size: number,
  random: Random,
): Generator<Int32Array, never> {
  const all = Int32Array.from({ length: count }, (_, index) => index);
  const labelledBatches = batchesOf(labelled, labelledSize, random);
  const otherBatches = batchesOf(all, size - labelledSize, random);
  for (;;) {
    yield Int32Array.of(...labelledBatches.next().value, ...otherBatches.next().value);
  }
}
