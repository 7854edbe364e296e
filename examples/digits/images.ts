import type { Random } from '../shared/random.js';

/**
 * An image is a sequence of TOKENS patches, left to right and top to bottom, with PATCH_PIXELS
 * pixels each.
 */
export const TOKENS = 16;
export const PATCH_PIXELS = 49;
export const PIXELS: number = TOKENS * PATCH_PIXELS;

/** Side of an image, in pixels. */
export const SIDE = 28;
export const PATCH_SIDE = 7;

/** Reorders images from rows of SIDE pixels to patches of PATCH_SIDE × PATCH_SIDE pixels. */
export function toPatches(pixels: ArrayLike<number>): Float32Array {
  const patches = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) patches[patchPosition(i)] = pixels[i]!;
  return patches;
}

/** The inverse of {@link toPatches}. */
export function toRows(patches: ArrayLike<number>): Float32Array {
  return Float32Array.from({ length: patches.length }, (_, i) => patches[patchPosition(i)]!);
}

/** Returns the place, in patch order, of the pixel at `position` in row order. */
function patchPosition(position: number): number {
  const pixel = position % PIXELS;
  return position - pixel + positionOf(Math.floor(pixel / SIDE), pixel % SIDE);
}

/** Returns the place, in patch order, of the pixel in this row and column. */
function positionOf(row: number, column: number): number {
  const patch =
    Math.floor(row / PATCH_SIDE) * (SIDE / PATCH_SIDE) + Math.floor(column / PATCH_SIDE);
  return patch * PATCH_PIXELS + (row % PATCH_SIDE) * PATCH_SIDE + (column % PATCH_SIDE);
}

/** Shifts each image by up to one pixel in any direction. */
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
