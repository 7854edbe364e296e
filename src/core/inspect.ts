// Formats a matrix for `console.log`.

import type { MatrixContent } from './content.js';
import type { FloatArray, NumericTrait } from './numeric.js';

/** Name of the method that `console.log` of Node, Bun and Deno calls to format an object. */
const INSPECT: symbol = /* @__PURE__ */ Symbol.for('nodejs.util.inspect.custom');

/** Maximum number of rows, and of elements of a row, that are shown. */
const MAX_SHOWN = 6;

/** Number of significant digits that are shown: float32 keeps 6 decimal digits of every number. */
const DIGITS = 6;

interface Inspected extends MatrixContent {
  readonly numeric: NumericTrait<FloatArray>;
}

/**
 * Makes `console.log` show the objects of a class as matrices. The constructor of the class calls
 * this function. A method with a computed name in the class itself would make esbuild keep the
 * class in bundles that do not use it.
 */
export function inspectAsMatrix(prototype: object): void {
  if (INSPECT in prototype) return;
  const value = function (this: Inspected): string {
    return describe(this);
  };
  Reflect.defineProperty(prototype, INSPECT, { value });
}

/** Describes a matrix: its shape, its number format, and its first elements. */
function describe({ data, rows, columns, numeric: { dtype } }: Inspected): string {
  const show = (count: number, item: (index: number) => string, indent: string): string => {
    const length = Math.min(count, MAX_SHOWN);
    const items = Array.from({ length }, (_, index) => indent + item(index));
    return count > length ? `${items},${indent}… ${count - length} more` : `${items}`;
  };
  // After the buffer was transferred, data[index] is undefined: `Number` makes NaN of it.
  const element = (index: number): string => `${+Number(data[index]).toPrecision(DIGITS)}`;
  const row = (i: number): string => `[${show(columns, (j) => element(i * columns + j), ' ')} ]`;
  return `Matrix ${rows} × ${columns} ${dtype} [${show(rows, row, '\n  ')}\n]`;
}
