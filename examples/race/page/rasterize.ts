import { SIDE } from '../../digits/images.js';
import { type Drawing, isBlank, type Stroke } from './drawing.js';

/**
 * Side in pixels of the square that an MNIST digit fills. Its centre of mass is the middle of the
 * image.
 */
const BOX = 20;
const PEN = 2.6;
/** A drawing smaller than this fraction of the pad is not enlarged, so that a dot stays a dot. */
const SMALLEST = 0.2;

/** Length of the line that draws a dot, since a line of length 0 is not drawn. */
const HAIR = 0.001;

/**
 * Rasterizes a drawing in the format of MNIST: 28 rows of 28 pixels, 0 (paper) to 1 (ink). Returns
 * undefined for a blank drawing.
 */
export function rasterize(drawing: Drawing): Float32Array | undefined {
  if (isBlank(drawing)) return undefined;
  if (drawing.kind === 'sample') return drawing.pixels;
  const { strokes } = drawing;
  const points = strokes.flat();
  const [left, right] = rangeOf(points.map(([x]) => x));
  const [top, bottom] = rangeOf(points.map(([, y]) => y));
  const scale = (BOX - PEN) / Math.max(right - left, bottom - top, SMALLEST);
  const x = SIDE / 2 - (scale * (left + right)) / 2;
  const y = SIDE / 2 - (scale * (top + bottom)) / 2;
  const [massX, massY] = centreOfMass(paint(strokes, scale, x, y));
  return paint(strokes, scale, x + SIDE / 2 - massX, y + SIDE / 2 - massY);
}

function rangeOf(values: readonly number[]): [number, number] {
  return [
    values.reduce((least, value) => Math.min(least, value)),
    values.reduce((most, value) => Math.max(most, value)),
  ];
}

function paint(strokes: readonly Stroke[], scale: number, x: number, y: number): Float32Array {
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.translate(x, y);
  context.scale(scale, scale);
  drawStrokes(context, strokes, PEN / scale);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return Float32Array.from({ length: SIDE * SIDE }, (_, pixel) => data[4 * pixel + 3]! / 255);
}

/** Draws strokes with round ends in the current colour of the context. */
export function drawStrokes(
  context: CanvasRenderingContext2D,
  strokes: readonly Stroke[],
  width: number,
): void {
  context.lineWidth = width;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  for (const stroke of strokes) {
    const [x, y] = stroke[0]!;
    context.beginPath();
    context.moveTo(x + HAIR, y);
    for (const point of stroke) context.lineTo(...point);
    context.stroke();
  }
}

function centreOfMass(pixels: Float32Array): [x: number, y: number] {
  let [mass, x, y] = [0, 0, 0];
  pixels.forEach((ink, pixel) => {
    mass += ink;
    x += ink * ((pixel % SIDE) + 0.5);
    y += ink * (Math.floor(pixel / SIDE) + 0.5);
  });
  return [x / mass, y / mass];
}
