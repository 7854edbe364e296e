// Products of small matrices, for the laws and the tests.

import { largest } from './compare.js';

type Rows = readonly (readonly number[])[];

/**
 * Returns a · b, row after row. `size` is the largest Σ |a| |b| of an element, at least 1: rounding
 * errors are relative to it.
 */
export function product(a: Rows, b: Rows): { readonly values: number[]; readonly size: number } {
  const sumOf = (of: (value: number) => number) =>
    a.flatMap((row) =>
      b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + of(value * b[k]![j]!), 0)),
    );
  return { values: sumOf((value) => value), size: Math.max(1, largest(sumOf(Math.abs))) };
}

/** Returns the transpose. */
export function transposed(rows: Rows): number[][] {
  return rows[0]!.map((_, j) => rows.map((row) => row[j]!));
}
