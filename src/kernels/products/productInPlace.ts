// Products of matrices of an arena, computed in place and on the threads of the arena.

import { arenaInstance, arenaOf, Scratch } from '../../engine/arenas.js';
import { PRODUCTS } from '../../engine/binaries/products.js';
import type { Kernel } from '../../engine/instance.js';
import { launch } from '../../engine/launch.js';
import {
  ADDS_PRODUCT,
  CALL,
  INNER,
  IS_ZERO,
  LEFT,
  LEFT_COLUMN,
  LEFT_ROW,
  PRODUCT_WORKSPACE,
  RESULT,
  RESULT_COLUMNS,
  RESULT_ROWS,
  RIGHT,
  RIGHT_COLUMN,
  RIGHT_ROW,
} from '../../engine/layout.js';
import type { Target } from '../../engine/target.js';
import type { Grid } from './grid.js';
import { LINES } from './panels.js';
import { countNonzeroRows, MIN_MULTIPLICATIONS } from './productSimd.js';

const KERNEL: Kernel = { binary: PRODUCTS, name: 'putProduct' };

/** Least number of multiplications for which waking threads gains time. */
const LARGE_MULTIPLICATIONS = 2 ** 20;

/**
 * Writes a · b to the target, from a row of the target on. Returns false, with nothing written,
 * unless all three are float32 matrices of one arena with free memory for a workspace. Also returns
 * false if the numbers are so small that the product has to be computed in doubles.
 */
export function putInPlace(target: Target, row: number, a: Grid, b: Grid): boolean {
  const { data, scale, adds } = target;
  const multiplications = a.rows * a.columns * b.columns;
  const arrays = [data, a.data, b.data];
  const arena = arenaOf(arrays);
  if (!arena || scale !== 1 || multiplications < MIN_MULTIPLICATIONS) return false;
  if (arrays.some((array) => array.BYTES_PER_ELEMENT !== 4)) return false;
  const instance = arenaInstance(arena, 0);
  const run = instance?.rowsKernel(KERNEL, 4);
  const count = run && countNonzeroRows({ a, row: 0, rows: a.rows });
  if (!instance || !run || count === undefined) return false;
  const scratch = new Scratch(arena);
  const threads = 1 + (arena.threads?.count ?? 0);
  const workspace = scratch.take(threads * PRODUCT_WORKSPACE);
  if (workspace === undefined) return false;
  const { int32 } = instance;
  const at = CALL / 4;
  int32[at + LEFT / 4] = a.data.byteOffset;
  int32[at + LEFT_ROW / 4] = 4 * a.rowStride;
  int32[at + LEFT_COLUMN / 4] = 4 * a.columnStride;
  int32[at + RIGHT / 4] = b.data.byteOffset;
  int32[at + RIGHT_ROW / 4] = 4 * b.rowStride;
  int32[at + RIGHT_COLUMN / 4] = 4 * b.columnStride;
  int32[at + RESULT / 4] = data.byteOffset + 4 * row * b.columns;
  int32[at + RESULT_ROWS / 4] = a.rows;
  int32[at + RESULT_COLUMNS / 4] = b.columns;
  int32[at + INNER / 4] = a.columns;
  int32[at + ADDS_PRODUCT / 4] = adds ? 1 : 0;
  int32[at + IS_ZERO / 4] = count === 0 ? 1 : 0;
  launch(arena, {
    kernel: KERNEL,
    size: 4,
    run,
    workspace,
    workspaceBytes: PRODUCT_WORKSPACE,
    count: Math.ceil(b.columns / LINES),
    isLarge: multiplications >= LARGE_MULTIPLICATIONS,
  });
  scratch.close();
  return true;
}
