/** The teacher reads lines that are so many pixels high, */
export const HEIGHT = 48;
/** and says once every so many pixels what is there. */
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
