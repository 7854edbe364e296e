import type { Features } from '../shared/training.js';
import { FRAME, HEIGHT, type Line } from './lines.js';

/** The classes of a frame: no letter, and then the letters. */
export const CLASSES: readonly string[] = ['', ...'abcdefghijklmnopqrstuvwxyz'];

export const countFrames = ({ width }: Pick<Line, 'width'>): number => width / FRAME;

/** Returns the label of each frame: a letter if the middle of the letter is in the frame. */
export function labelsOf(line: Line): Int32Array {
  const labels = new Int32Array(countFrames(line));
  line.middles.forEach((middle, position) => {
    labels[Math.floor(middle / FRAME)] = CLASSES.indexOf(line.word[position]!);
  });
  return labels;
}

/**
 * Returns the word that the classes of a line's frames spell. A letter in consecutive frames is one
 * letter.
 */
export function spell(classes: readonly number[]): string {
  const letters = classes.filter((value, frame) => value !== classes[frame - 1]);
  return letters.map((value) => CLASSES[value]).join('');
}

/** Returns the features of each frame: the square around its middle, at half the resolution. */
const SIDE = HEIGHT / 2;
export const FEATURES: number = SIDE ** 2;

export function featuresOf(line: Line): Features[] {
  return Array.from({ length: countFrames(line) }, (_, frame) => {
    const left = frame * FRAME + FRAME / 2 - HEIGHT / 2;
    const indices: number[] = [];
    const values: number[] = [];
    for (let row = 0; row < SIDE; row++) {
      for (let column = 0; column < SIDE; column++) {
        const ink = inkAt(line, 2 * row, left + 2 * column);
        if (ink === 0) continue;
        indices.push(row * SIDE + column);
        values.push(ink);
      }
    }
    return { indices, values };
  });
}

/** Returns the mean of 2 × 2 pixels. Pixels outside of the line are paper. */
function inkAt({ width, ink }: Line, row: number, column: number): number {
  let sum = 0;
  for (const y of [row, row + 1]) {
    for (const x of [column, column + 1]) {
      if (x >= 0 && x < width) sum += ink[y * width + x]!;
    }
  }
  return sum / 4;
}
