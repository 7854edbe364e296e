// Products of small matrices, as the laws and the tests write them down.

import { largest } from './compare.js';

type Rows = readonly (readonly number[])[];

/**
 * a · b, row after row; `size` is the largest sum of absolute values, to which roundings relate.
 */
export function product(a: Rows, b: Rows): { readonly values: number[]; readonly size: number } {
  const sumOf = (of: (value: number) => number) =>
    a.flatMap((row) =>
      b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + of(value * b[k]![j]!), 0)),
    );
  return { values: sumOf((value) => value), size: Math.max(1, largest(sumOf(Math.abs))) };
}

/** The transpose. */
export function transposed(rows: Rows): number[][] {
  return rows[0]!.map((_, j) => rows.map((row) => row[j]!));
}
