// Logits as the hidden states and the head that they are made of.

import { checkDtype, checkRow, checkShape } from '../core/checks.js';
import { checkOptions } from '../core/errors.js';
import { checkMatrix, type Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { grid } from '../kernels/products/grid.js';
import { precisionOf, putProduct } from '../kernels/products/product.js';

/**
 * Logits that are not there, as what makes them:
 *
 *     logits = hidden · weight + bias
 */
export interface HeadLogits<T extends FloatArray = Float32Array> {
  /** The hidden states that the head reads, shape [rows, width]. */
  readonly hidden: Matrix<T>;
  /**
   * Shape [width, columns], as in a {@link LinearProjection}. The weight of PyTorch's `nn.Linear`,
   * and an embedding that is tied to the head, are [columns, width]: pass the transpose.
   */
  readonly weight: Matrix<T>;
  /** Shape [1, columns]; −Infinity rules a class out. No bias by default. */
  readonly bias?: Matrix<T> | undefined;
}

/**
 * Throws unless hidden states, weight and bias fit each other, and the number format is that of
 * `like`.
 */
export function checkHead<T extends FloatArray>(
  operation: string,
  argument: string,
  head: HeadLogits<T>,
  like: () => Matrix<T>,
): void {
  checkOptions(operation, argument, head, ['hidden', 'weight', 'bias']);
  const { hidden, weight, bias } = head;
  checkMatrix(operation, `${argument}.hidden`, hidden);
  checkDtype(operation, `${argument}.hidden`, hidden, like());
  checkMatrix(operation, `${argument}.weight`, weight);
  checkDtype(operation, `${argument}.weight`, weight, hidden);
  const expected = [hidden.columns, weight.columns] as const;
  const hint =
    weight.columns === hidden.columns
      ? 'a weight of nn.Linear, or a tied embedding, is [columns, width]: transpose it'
      : undefined;
  const why = 'the width of hidden, and the columns of the logits';
  checkShape(operation, `${argument}.weight`, weight, expected, why, hint);
  if (bias === undefined) return;
  checkMatrix(operation, `${argument}.bias`, bias);
  checkDtype(operation, `${argument}.bias`, bias, hidden);
  checkShape(operation, `${argument}.bias`, bias, [1, weight.columns], 'one for each column');
}

/** Writes hidden · weight + bias to `logits`. */
export function putLogits<T extends FloatArray>(
  { hidden, weight, bias }: HeadLogits<T>,
  { data, rows, columns }: Matrix<T>,
): void {
  const a = grid(hidden.data, rows, hidden.columns);
  const b = grid(weight.data, weight.rows, columns);
  if (bias) for (let i = 0; i < rows; i++) data.set(bias.data, i * columns);
  const target = { data, scale: 1, adds: bias !== undefined };
  putProduct(target, [...Array(rows).keys()], { a, b, precision: precisionOf(b) });
}

/** Throws at the first element of the rows, of the weight or of the bias that is not finite. */
export function explainHead<T extends FloatArray>(
  operation: string,
  argument: string,
  { hidden, weight, bias }: HeadLogits<T>,
  rows: readonly number[],
): void {
  for (const row of rows) checkRow(operation, `${argument}.hidden`, hidden, row);
  for (let row = 0; row < weight.rows; row++) {
    checkRow(operation, `${argument}.weight`, weight, row);
  }
  if (bias) checkRow(operation, `${argument}.bias`, bias, 0, -Infinity);
}
