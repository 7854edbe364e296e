import { BANDS } from './features.js';

/** Frames that a block's convolution sees: the present one, and two earlier ones. */
export const KERNEL = 3;

/** Size of a student. */
export interface Shape {
  readonly width: number;
  /** The b-th block has dilation 2^b, from b = 0. */
  readonly blocks: number;
}

/** The student of the page: 12,161 parameters, which hear 127 frames, 4 s. */
export const STUDENT: Shape = { width: 40, blocks: 6 };

/** The student that trains in seconds: 2,225 parameters, which hear 63 frames, 2 s. */
export const QUICK_STUDENT: Shape = { width: 16, blocks: 5 };

/** A matrix of weights, row by row, or a bias, which is one row. */
interface Tensor {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Index of its first number among all parameters. */
  readonly offset: number;
}

/** All parameters of a student, in the order of {@link layoutOf}. */
export interface Student {
  readonly shape: Shape;
  readonly parameters: Float32Array;
}

/**
 * Returns the tensors of a student in their order. Rows are outputs, columns are inputs:
 *
 *     input.weight          [width, 32]      input.bias          [1, width]
 *     block<b>.depth.weight [width, 3]       block<b>.depth.bias [1, width]
 *     block<b>.point.weight [width, width]   block<b>.point.bias [1, width]
 *     output.weight         [1, width]       output.bias         [1, 1]
 *
 * The columns of `depth.weight` are the frames t − 2d, t − d and t, for dilation d.
 */
export function layoutOf({ width, blocks }: Shape): readonly Tensor[] {
  const tensors: Tensor[] = [];
  const add = (name: string, rows: number, columns: number): void => {
    tensors.push({ name, rows, columns, offset: sizeOf(tensors) });
  };
  add('input.weight', width, BANDS);
  add('input.bias', 1, width);
  for (let block = 0; block < blocks; block++) {
    add(`block${block}.depth.weight`, width, KERNEL);
    add(`block${block}.depth.bias`, 1, width);
    add(`block${block}.point.weight`, width, width);
    add(`block${block}.point.bias`, 1, width);
  }
  add('output.weight', 1, width);
  add('output.bias', 1, 1);
  return tensors;
}

/** Returns the number of parameters of a student. */
export function countParameters(shape: Shape): number {
  return sizeOf(layoutOf(shape));
}

function sizeOf(tensors: readonly Tensor[]): number {
  const last = tensors.at(-1);
  return last ? last.offset + last.rows * last.columns : 0;
}
