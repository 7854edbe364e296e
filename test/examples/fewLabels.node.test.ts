import { UNLABELED } from 'knowledge-distillation';
import { expect, test } from 'vitest';
import { chooseStratified, hideLabels, mixedBatches } from '../../examples/digits/fewLabels.js';
import { Random } from '../../examples/shared/random.js';

const labels = Int32Array.from({ length: 200 }, (_, index) => index % 10);
const labelled = chooseStratified(labels, 3, new Random(1, 'labelled'));

test('chooses the requested number of images of every class, and labels only these', () => {
  expect(Array.from(labelled, (index) => labels[index])).toEqual(
    Array.from({ length: 30 }, (_, i) => Math.floor(i / 3)),
  );
  expect(new Set(labelled).size).toBe(30);
  const visible = hideLabels(labels, labelled);
  visible.forEach((label, index) => {
    expect(label).toBe(labelled.includes(index) ? labels[index] : UNLABELED);
  });
});

test('a batch starts with labelled images; the others are drawn from all', () => {
  const batches = mixedBatches(labelled, 8, labels.length, 20, new Random(1, 'batches'));
  const others = new Set<number>();
  for (let step = 0; step < 16; step++) {
    const batch = batches.next().value;
    expect(batch).toHaveLength(20);
    expect(batch.subarray(0, 8).every((index) => labelled.includes(index))).toBe(true);
    for (const index of batch.subarray(8)) others.add(index);
  }
  expect(others.size).toBe(192); // 16 batches of 12 make one pass over all images
});
