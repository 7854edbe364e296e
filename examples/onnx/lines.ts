/** Height in pixels of the lines that the teacher reads. */
export const HEIGHT = 48;
/** Distance in pixels between two outputs of the teacher along a line. */
export const FRAME = 8;

/** A word, drawn in one line. */
export interface Line {
  readonly word: string;
  readonly font: string;
  /** In pixels, a multiple of FRAME. */
  readonly width: number;
  /** HEIGHT rows of `width` pixels, from 0 for paper to 1 for ink. */
  readonly ink: Float32Array;
  /** How many pixels from the left the middle of each letter is. */
  readonly middles: readonly number[];
}
