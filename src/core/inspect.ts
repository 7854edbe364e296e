// How a matrix looks in the console.

import type { MatrixContent } from './content.js';
import type { FloatArray, NumericTrait } from './numeric.js';

/** Names the method by which `console.log` of Node, Bun and Deno shows an object. */
const INSPECT: symbol = /* @__PURE__ */ Symbol.for('nodejs.util.inspect.custom');

/** The most rows, and elements of a row, that are shown. */
const MOST = 6;

/** Significant digits that are shown: as many as float32 has in every value. */
const DIGITS = 6;

interface Inspected extends MatrixContent {
  readonly numeric: NumericTrait<FloatArray>;
}

/**
 * Has `console.log` show the objects of a class as matrices. The constructor calls this, since
 * esbuild keeps a class with a method of a computed name in bundles that do not use the class.
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
    const items = Array.from({ length: Math.min(count, MOST) }, (_, index) => indent + item(index));
    return count > MOST ? `${items},${indent}… ${count - MOST} more` : `${items}`;
  };
  // An element is missing after the buffer was transferred.
  const element = (index: number): string => `${+Number(data[index]).toPrecision(DIGITS)}`;
  const row = (i: number): string => `[${show(columns, (j) => element(i * columns + j), ' ')} ]`;
  return `Matrix ${rows} × ${columns} ${dtype} [${show(rows, row, '\n  ')}\n]`;
}
