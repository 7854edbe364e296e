/** Height in pixels of the lines that the teacher reads. */
export const HEIGHT = 48;
/** Distance in pixels between two outputs of the teacher along a line. */
export const FRAME = 8;

/** A word, drawn in one line. */
export interface Line {
  readonly word: string;
  readonly font: string;
  /** Width in pixels, a multiple of FRAME. */
  readonly width: number;
  /** HEIGHT rows of `width` pixels, from 0 for paper to 1 for ink. */
  readonly ink: Float32Array;
  /** Distance of the middle of each letter from the left, in pixels. */
  readonly middles: readonly number[];
}
