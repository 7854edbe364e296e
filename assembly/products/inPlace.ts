// Products of float32 matrices in place, in blocks of the result. Each element is the sum of the
// same numbers in the same order, whichever columns a thread computes, so that the number of
// threads changes no bit.

import {
  A_PANELS, ADDS_PRODUCT, ADDS_STEPS, B_PANELS, COLUMN_LINES, INNER, IS_GRAM, IS_ZERO, LEFT, LEFT_COLUMN, LEFT_PLACE, LEFT_ROW,
  LINE_BYTES, PANEL_BYTES, PANEL_SUMS_PLACE, RESULT, RESULT_BLOCK_COLUMNS, RESULT_BLOCK_ROWS, RESULT_COLUMNS, RESULT_ROWS,
  RIGHT, RIGHT_COLUMN, RIGHT_PLACE, RIGHT_ROW, ROW_LINES, STEPS, SUMS, SUMS_PLACE, TILE, TILE_PLACE, VECTOR_BYTES,
} from '../../src/engine/layout';
import { splat } from '../shared/lanes';
import { packColumns, packRows, product } from './product';
import { addRow, scaled } from './rows';

const STEP: usize = PANEL_BYTES;

/** Number of lines of a float32 panel. Threads share the columns of the result in whole panels. */
const LINES = PANEL_BYTES / 4;

/** Bytes of one row of the sums of a panel. */
const PANEL_SUMS: usize = 2 * PANEL_BYTES;

let call: usize = 0;
let workspace: usize = 0;

@inline
function whole(length: i32, unit: i32): i32 {
  return (length + unit - 1) / unit * unit;
}

/**
 * Packs one panel number by number, with zeros behind the end of the matrix: a panel with few
 * lines, or a panel of doubles.
 */
function packEach<T>(source: usize, line: usize, step: usize, target: usize, lines: i32, steps: i32): void {
  const width = PANEL_BYTES / sizeof<T>() as i32;
  const last = whole(steps, VECTOR_BYTES / sizeof<T>() as i32);
  for (let k = 0; k < last; k++) {
    for (let i = 0; i < width; i++) {
      const isInside = i < lines && k < steps;
      const from = source + (i as usize) * line + (k as usize) * step;
      store<T>(target, isInside ? load<f32>(from) as T : 0);
      target += sizeof<T>();
    }
  }
}

/** Packs panels of lines that are `line` bytes apart, with steps that are `step` bytes apart. */
function pack<T>(source: usize, line: usize, step: usize, target: usize, lines: i32, steps: i32): void {
  const width = PANEL_BYTES / sizeof<T>() as i32;
  const unit = VECTOR_BYTES / sizeof<T>() as i32;
  const panel = (whole(steps, unit) as usize) * STEP;
  for (let i = 0; i < lines; i += width) {
    if (sizeof<T>() == 8 || lines - i < width || steps % unit != 0) {
      packEach<T>(source, line, step, target, min(width, lines - i), steps);
    } else if (step == 4) {
      packRows<f32>(source, line, target, LINES, steps);
    } else {
      packColumns<f32>(source, step, target, LINES, steps);
    }
    source += (width as usize) * line;
    target += panel;
  }
}

/**
 * Computes the sums of a block, which starts at a row and a column of the result, with numbers of
 * type T.
 */
function multiply<T>(row: i32, rows: i32, column: i32, columns: i32, sums: usize): void {
  const a = load<usize>(call, LEFT) + (row as usize) * load<usize>(call, LEFT_ROW);
  const b = load<usize>(call, RIGHT) + (column as usize) * load<usize>(call, RIGHT_COLUMN);
  const inner = load<i32>(call, INNER);
  const most = LINE_BYTES / sizeof<T>() as i32;
  store<usize>(workspace, workspace + LEFT_PLACE, A_PANELS);
  store<usize>(workspace, workspace + RIGHT_PLACE, B_PANELS);
  store<usize>(workspace, sums, SUMS);
  store<usize>(workspace, workspace + TILE_PLACE, TILE);
  store<i32>(workspace, whole(rows, LINES), ROW_LINES);
  store<i32>(workspace, whole(columns, LINES), COLUMN_LINES);
  store<i32>(workspace, 0, IS_GRAM);
  const aStep = load<usize>(call, LEFT_COLUMN);
  const bStep = load<usize>(call, RIGHT_ROW);
  for (let k = 0; k < inner; k += most) {
    const steps = min(most, inner - k);
    pack<T>(a + (k as usize) * aStep, load<usize>(call, LEFT_ROW), aStep, workspace + LEFT_PLACE, rows, steps);
    pack<T>(b + (k as usize) * bStep, load<usize>(call, RIGHT_COLUMN), bStep, workspace + RIGHT_PLACE, columns, steps);
    store<i32>(workspace, whole(steps, VECTOR_BYTES / sizeof<T>() as i32), STEPS);
    store<i32>(workspace, k > 0 ? 1 : 0, ADDS_STEPS);
    product<T>(workspace);
  }
}

/**
 * Whether float32 was precise enough for the sums of a panel: all are finite, and at least one is
 * not tiny.
 */
function isTrusted(sums: usize, stride: usize, rows: i32): bool {
  const least = splat<f64>(8.077935669463161e-28); // 2^-90; the least float32 is 2^59 smaller
  let infinite = splat<f64>(0);
  let large = splat<f64>(load<i32>(call, IS_ZERO) == 0 ? 0 : NaN);
  const end = sums + (rows as usize) * stride;
  for (; sums < end; sums += stride) {
    for (let j: usize = 0; j < PANEL_SUMS; j += VECTOR_BYTES) {
      const sum = v128.load(sums + j);
      infinite = v128.or(infinite, f64x2.sub(sum, sum));
      large = v128.or(large, f64x2.gt(f64x2.abs(sum), least));
    }
  }
  return !v128.any_true(infinite) && v128.any_true(large);
}

/** Computes a block of the result, a panel of it in doubles where float32 was not enough. */
function putBlock(row: i32, rows: i32, column: i32, columns: i32): void {
  const sums = workspace + SUMS_PLACE;
  const stride = (whole(columns, LINES) as usize) * 8;
  multiply<f32>(row, rows, column, columns, sums);
  for (let j = 0; j < columns; j += LINES) {
    const panel = sums + (j as usize) * 8;
    if (isTrusted(panel, stride, rows)) continue;
    const exact = workspace + PANEL_SUMS_PLACE;
    multiply<f64>(row, rows, column + j, min(LINES, columns - j), exact);
    for (let i: usize = 0; i < (rows as usize); i++) {
      memory.copy(panel + i * stride, exact + i * PANEL_SUMS, PANEL_SUMS);
    }
  }
  const adds = load<i32>(call, ADDS_PRODUCT) != 0;
  const width = (load<i32>(call, RESULT_COLUMNS) as usize) * 4;
  let to = load<usize>(call, RESULT) + (row as usize) * width + (column as usize) * 4;
  const end = sums + (rows as usize) * stride;
  for (let from = sums; from < end; from += stride) {
    if (adds) addRow(from, from + stride, to, 1);
    scaled(from, from + stride, 1);
    memory.copy(to, from, (columns as usize) * 4);
    to += width;
  }
}

/**
 * Computes `count` panels of columns of the result, see "The description of a product of float32
 * matrices" in layout.ts.
 */
export function putProduct(description: usize, place: usize, first: i32, count: i32): void {
  call = description;
  workspace = place;
  const rows = load<i32>(call, RESULT_ROWS);
  const end = min((first + count) * LINES, load<i32>(call, RESULT_COLUMNS));
  for (let column = first * LINES; column < end; column += RESULT_BLOCK_COLUMNS) {
    for (let row = 0; row < rows; row += RESULT_BLOCK_ROWS) {
      putBlock(row, min(RESULT_BLOCK_ROWS, rows - row), column, min(RESULT_BLOCK_COLUMNS, end - column));
    }
  }
}
