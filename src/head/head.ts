// Logits in the form of hidden states and the linear head that computes the logits from them.

import { checkDtype, checkRow, checkShape } from '../core/checks.js';
import { checkOptions } from '../core/errors.js';
import { checkMatrix, type Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { grid } from '../kernels/products/grid.js';
import { precisionOf, putProduct } from '../kernels/products/product.js';

/**
 * Logits that are not stored, as the hidden states and the head that compute them.
 *
 * ```math
 * logits = hidden · weight + bias
 * ```
 */
export interface HeadLogits<T extends FloatArray = Float32Array> {
  /** Hidden states, the input of the head, shape [rows, width]. */
  readonly hidden: Matrix<T>;
  /**
   * Weight of the head, shape [width, columns], as in a {@link LinearProjection}. The weight of
   * PyTorch's `nn.Linear` and an embedding that is tied to the head have shape [columns, width]:
   * pass the transpose.
   */
  readonly weight: Matrix<T>;
  /**
   * Bias of the head, shape [1, columns]; −Infinity rules a class out.
   *
   * @defaultValue no bias
   */
  readonly bias?: Matrix<T> | undefined;
}

/**
 * Throws unless the shapes of hidden states, weight and bias fit together and all have one dtype.
 *
 * @param like - returns a matrix of the expected dtype
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
