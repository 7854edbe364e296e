import { PATCH_SIDE, SIDE, TOKENS } from '../../digits/images.js';
import type { Who } from './describe.js';
import { color } from './palette.js';

/** Number of patches along a side of the image. */
export const PATCHES: number = SIDE / PATCH_SIDE;

/** Returns the context of a canvas, scaled so that each side is `side` units long. */
export function contextOf(canvas: HTMLCanvasElement, side: number): CanvasRenderingContext2D {
  const context = canvas.getContext('2d')!;
  context.setTransform(canvas.width / side, 0, 0, canvas.height / side, 0, 0);
  return context;
}

/** Paints the image in ink; paper stays transparent. */
export function paintPixels(context: CanvasRenderingContext2D, pixels: Float32Array): void {
  const image = document.createElement('canvas');
  image.width = SIDE;
  image.height = SIDE;
  const own = image.getContext('2d')!;
  const data = new ImageData(SIDE, SIDE);
  pixels.forEach((ink, pixel) => {
    data.data[4 * pixel + 3] = 255 * ink;
  });
  own.putImageData(data, 0, 0);
  own.globalCompositeOperation = 'source-in';
  own.fillStyle = color('--ink');
  own.fillRect(0, 0, SIDE, SIDE);
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0, SIDE, SIDE);
}

/**
 * Paints the image and, over each patch, the attention that `query` pays to it. `map` is [TOKENS,
 * TOKENS].
 */
export function paintAttention(
  canvas: HTMLCanvasElement,
  pixels: Float32Array,
  map: Float32Array,
  query: number,
  who: Who,
): void {
  const context = contextOf(canvas, SIDE);
  context.fillStyle = color(`--${who}`);
  for (let key = 0; key < TOKENS; key++) {
    context.globalAlpha = visibility(map[query * TOKENS + key]!);
    const [x, y] = placeOf(key);
    context.fillRect(x * PATCH_SIDE, y * PATCH_SIDE, PATCH_SIDE, PATCH_SIDE);
  }
  context.globalAlpha = 1;
  paintPixels(context, pixels);
  const [x, y] = placeOf(query);
  context.strokeStyle = color('--ink');
  context.lineWidth = 0.4;
  context.strokeRect(
    x * PATCH_SIDE + 0.2,
    y * PATCH_SIDE + 0.2,
    PATCH_SIDE - 0.4,
    PATCH_SIDE - 0.4,
  );
}

/**
 * Paints all rows of a map: at the place of each patch, a small picture of the attention that it
 * pays.
 */
export function paintAllAttention(canvas: HTMLCanvasElement, map: Float32Array, who: Who): void {
  const gap = 0.5;
  const pitch = PATCHES + gap;
  const context = contextOf(canvas, PATCHES * pitch - gap);
  context.fillStyle = color(`--${who}`);
  for (let query = 0; query < TOKENS; query++) {
    const [left, top] = placeOf(query);
    for (let key = 0; key < TOKENS; key++) {
      const [x, y] = placeOf(key);
      context.globalAlpha = visibility(map[query * TOKENS + key]!);
      context.fillRect(left * pitch + x, top * pitch + y, 1, 1);
    }
  }
  context.globalAlpha = 1;
}

function placeOf(token: number): [x: number, y: number] {
  return [token % PATCHES, Math.floor(token / PATCHES)];
}

/**
 * Returns the opacity of an attention weight. Uniform attention is 1 / 16 for each patch, which
 * would hardly be visible on a linear scale.
 */
function visibility(attention: number): number {
  return Math.sqrt(attention);
}
