// Packs the factors of a product into panels, for the WebAssembly kernels.

import { PRODUCTS } from '../../engine/binaries/products.js';
import type { Instance } from '../../engine/instance.js';
import { PANEL_BYTES, VECTOR_BYTES } from '../../engine/layout.js';
import type { Grid } from './grid.js';

/** Number of lines of a float32 panel, a multiple of the lines of a float64 panel. */
export const LINES: number = PANEL_BYTES / 4;

/**
 * sums = A · B or sums += A · B; src/engine/layout.ts has the description at the address `call`.
 */
type Product = (call: number) => void;

/** Packs the lines at the address `source` into panels. */
type Pack = (source: number, stride: number, target: number, lines: number, steps: number) => void;

/** Reads `lines` rows x and y, of `bytes` each, and the two rows to subtract at `subtrahends`. */
type Differ = (
  ...call: [x: number, y: number, sums: number, lines: number, bytes: number, subtrahends: number]
) => void;

/** Exports of the binary of products. */
export interface ProductKernels {
  readonly product32: Product;
  readonly product64: Product;
  readonly packRows32: Pack;
  readonly packRows64: Pack;
  readonly packColumns32: Pack;
  readonly packColumns64: Pack;
  /** Writes x · y of each row, in doubles; rows have `bytes` bytes. */
  readonly dots32: (x: number, y: number, target: number, lines: number, bytes: number) => void;
  /** sums += factor × a row of float32. */
  readonly addRow32: (sums: number, end: number, row: number, factor: number) => void;
  /** Subtracts one row from each of the rows. */
  readonly subtractRow32: (rows: number, row: number, lines: number, bytes: number) => void;
  /**
   * Replaces rows x by the differences x − y and rows y by the middles (x + y) / 2, each less one
   * of the rows to subtract. Writes ‖difference‖² and difference · middle of each row.
   */
  readonly differ32: Differ;
  /** Converts scale × doubles to float32, in place. */
  readonly scaledTo32: (pointer: number, end: number, scale: number) => void;
  /** Returns 1 if all doubles from an address on are finite and at most 2^823. */
  readonly moderate64: (address: number, bytes: number) => number;
}

/** Returns the exports of the binary, which the engine has compiled. */
export function kernelsOf(instance: Instance): ProductKernels {
  return instance.exportsOf<ProductKernels>(PRODUCTS)!;
}

/**
 * Part of a factor that is packed into panels. Its lines are rows of the grid, its steps are
 * columns.
 */
export interface Part {
  readonly grid: Grid;
  /** Bytes of a number. */
  readonly size: 4 | 8;
  /** First line, and number of lines. */
  readonly line: number;
  readonly lines: number;
  readonly step: number;
  readonly steps: number;
  /** Address to which the part is copied. */
  readonly staged: number;
}

/** Packs steps of a staged part into panels, from `step` on. */
export function pack(
  instance: Instance,
  part: Part,
  step: number,
  steps: number,
  target: number,
): void {
  const { grid, size, staged } = part;
  const kernels = kernelsOf(instance);
  const lines = whole(part.lines, LINES);
  const isByRows = grid.columnStride === 1;
  const stride = size * (isByRows ? whole(part.steps, VECTOR_BYTES / size) : lines);
  const source = staged + step * (isByRows ? size : stride);
  if (isByRows) {
    const packRows = size === 4 ? kernels.packRows32 : kernels.packRows64;
    packRows(source, stride, target, lines, steps);
  } else {
    const packColumns = size === 4 ? kernels.packColumns32 : kernels.packColumns64;
    packColumns(source, stride, target, lines, steps);
  }
}

/** Copies a part to its address, row after row, and pads it with zeros on the right and below. */
export function stage(instance: Instance, part: Part): void {
  const { grid, size, staged } = part;
  const memory = instance.floats(size);
  const to = staged / size;
  const lines = whole(part.lines, LINES);
  const steps = whole(part.steps, VECTOR_BYTES / size);
  const isByRows = grid.columnStride === 1;
  const height = isByRows ? lines : steps;
  const width = isByRows ? steps : lines;
  const rows = isByRows ? part.lines : part.steps;
  const columns = isByRows ? part.steps : part.lines;
  const stride = isByRows ? grid.rowStride : grid.columnStride;
  const from = part.line * grid.rowStride + part.step * grid.columnStride;
  if (columns < width || rows < height) memory.fill(0, to, to + height * width);
  if (columns === width && stride === columns) {
    memory.set(grid.data.subarray(from, from + rows * columns), to);
    return;
  }
  for (let i = 0; i < rows; i++) {
    const start = from + i * stride;
    memory.set(grid.data.subarray(start, start + columns), to + i * width);
  }
}

/** Rounds a length up to a multiple of `unit`. */
export function whole(length: number, unit: number): number {
  return Math.ceil(length / unit) * unit;
}
