// Formats matrices and sparse targets for `console.log`.

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

interface InspectedSparse {
  readonly values: Inspected;
  /** Class of each value; −1 for no class. */
  readonly indices: Int32Array;
  readonly columns: number;
  readonly kind: string;
  readonly temperature: number;
}

/**
 * Makes `console.log` show the objects of a class as matrices. The constructor of the class calls
 * this function. A method with a computed name in the class itself would make esbuild keep the
 * class in bundles that do not use it.
 */
export function inspectAsMatrix(prototype: object): void {
  inspectBy(prototype, describe);
}

/** Makes `console.log` show the objects of a class as sparse targets: see inspectAsMatrix. */
export function inspectAsSparse(prototype: object): void {
  inspectBy(prototype, describeSparse);
}

function inspectBy<Of extends object>(prototype: object, describeOf: (of: Of) => string): void {
  if (INSPECT in prototype) return;
  const value = function (this: Of): string {
    return describeOf(this);
  };
  Reflect.defineProperty(prototype, INSPECT, { value });
}

/** Describes a matrix: its shape, its number format, and its first elements. */
function describe(matrix: Inspected): string {
  const { rows, columns, numeric } = matrix;
  const elements = showRows(matrix, (index) => elementAt(matrix, index));
  return `Matrix ${rows} × ${columns} ${numeric.dtype} ${elements}`;
}

/** Describes sparse targets: their shape, their kind, and the first classes with their values. */
function describeSparse({ values, indices, columns, kind, temperature }: InspectedSparse): string {
  const { rows, columns: k, numeric } = values;
  const at = kind === 'logits' ? '' : ` at temperature ${temperature}`;
  const elements = showRows(values, (index) =>
    indices[index] === -1 ? '–' : `${indices[index]}: ${elementAt(values, index)}`,
  );
  return `SparseTargets ${rows} × ${columns}, k = ${k}, ${numeric.dtype} ${kind}${at} ${elements}`;
}

/** Shows the first elements of the first rows. */
function showRows({ rows, columns }: MatrixContent, element: (index: number) => string): string {
  const show = (count: number, item: (index: number) => string, indent: string): string => {
    const length = Math.min(count, MAX_SHOWN);
    const items = Array.from({ length }, (_, index) => indent + item(index));
    return count > length ? `${items},${indent}… ${count - length} more` : `${items}`;
  };
  const row = (i: number): string => `[${show(columns, (j) => element(i * columns + j), ' ')} ]`;
  return `[${show(rows, row, '\n  ')}\n]`;
}

function elementAt({ data }: MatrixContent, index: number): string {
  // After the buffer was transferred, data[index] is undefined: `Number` makes NaN of it.
  return `${+Number(data[index]).toPrecision(DIGITS)}`;
}
