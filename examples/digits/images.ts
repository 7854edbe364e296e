import type { Random } from '../shared/random.js';

/**
 * An image is a sequence of TOKENS patches, left to right and top to bottom, of PATCH_PIXELS each.
 */
export const TOKENS = 16;
export const PATCH_PIXELS = 49;
export const PIXELS: number = TOKENS * PATCH_PIXELS;

/** In pixels. */
export const SIDE = 28;
export const PATCH_SIDE = 7;

/** From rows of SIDE pixels to patches of PATCH_SIDE × PATCH_SIDE pixels. */
export function toPatches(pixels: ArrayLike<number>): Float32Array {
  const patches = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) patches[patchPosition(i)] = pixels[i]!;
  return patches;
}

/** The inverse of {@link toPatches}. */
export function toRows(patches: ArrayLike<number>): Float32Array {
  return Float32Array.from({ length: patches.length }, (_, i) => patches[patchPosition(i)]!);
}

/** Where the pixel lies patch by patch that is at `position` row by row. */
function patchPosition(position: number): number {
  const pixel = position % PIXELS;
  return position - pixel + positionOf(Math.floor(pixel / SIDE), pixel % SIDE);
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
