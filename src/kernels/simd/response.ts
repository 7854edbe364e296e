// Rows of the response loss through the WebAssembly kernels.

import type { FloatArray } from '../../numeric.js';
import type { ResponseRows } from '../responseLoss.js';
import type { Target } from '../target.js';
import { align, floats, reserve, type Simd } from './instance.js';

/** Rows are copied in and out in pieces of about so many bytes, which stay in the cache. */
const PIECE = 65536;

/** Rows of up to so many columns are taken side by side. */
const SHORT = 16;

/** Beyond any logit of a row, so that what pads the row adds nothing. */
const PADDING = -1e30;

/** Called with a row that the kernels leave to other means; returns its loss. */
export type TakeRow = (row: number) => number;

/** The sum of the losses of the rows; their gradient goes to the target. */
export function responseOfRows(
  simd: Simd,
  call: ResponseRows,
  target: Target | undefined,
  takeRow: TakeRow,
): number {
  const { student, teacher, columns, rows, classes } = call;
  const { temperature, temperatureFactor, alpha } = call;
  const size = student.BYTES_PER_ELEMENT;
  // Side by side, a teacher would be read who has no say.
  const isShort = columns <= SHORT && alpha < 1;
  const rowBytes = isShort ? columns * size : align(columns * size);
  const most = Math.min(rows.length, Math.max(1, Math.floor(PIECE / rowBytes)));
  const side = align(most * rowBytes);
  const labelBytes = align(4 * most);
  const start = reserve(simd, rowBytes, 3 * side + labelBytes + 8 * most + 32);
  const [teachers, gradients] = [start + side, start + 2 * side];
  const labels = gradients + side;
  const losses = labels + labelBytes;
  const { kernels, int32, float64 } = simd;
  const memory = floats(simd, student);
  const kernel = isShort
    ? size === 8
      ? kernels.shortRows64
      : kernels.shortRows32
    : size === 8
      ? kernels.response64
      : kernels.response32;
  let sum = 0;
  for (let first = 0; first < rows.length; ) {
    // A run of rows without a gap, as long as a piece.
    const row = rows[first]!;
    let count = 1;
    while (count < most && rows[first + count] === row + count) count++;
    copyIn(student, row * columns, columns, count, memory, start, rowBytes);
    copyIn(teacher, row * columns, columns, count, memory, teachers, rowBytes);
    if (classes) {
      for (let i = 0; i < count; i++) int32[labels / 4 + i] = classes[row + i]!;
    }
    kernel(
      start,
      teachers,
      target ? gradients : 0,
      classes ? labels : 0,
      losses,
      count,
      isShort ? columns : rowBytes,
      temperature,
      temperatureFactor,
      alpha,
      target ? target.scale : 0,
    );
    let isWhole = true;
    for (let i = 0; i < count; i++) isWhole &&= Number.isFinite(float64[losses / 8 + i]!);
    if (target && isWhole) copyOut(memory, gradients, rowBytes, columns, count, target, row);
    for (let i = 0; i < count; i++) {
      const loss = float64[losses / 8 + i]!;
      if (!Number.isFinite(loss)) {
        sum += takeRow(row + i);
        continue;
      }
      sum += loss;
      if (!target || isWhole) continue;
      copyOut(memory, gradients + i * rowBytes, rowBytes, columns, 1, target, row + i);
    }
    first += count;
  }
  return sum;
}

function copyIn(
  values: FloatArray,
  offset: number,
  columns: number,
  rows: number,
  memory: FloatArray,
  address: number,
  rowBytes: number,
): void {
  const start = address / memory.BYTES_PER_ELEMENT;
  const stride = rowBytes / memory.BYTES_PER_ELEMENT;
  if (stride === columns) {
    memory.set(part(values, offset, rows * columns), start);
    return;
  }
  for (let row = 0; row < rows; row++) {
    const begin = start + row * stride;
    memory.set(part(values, offset + row * columns, columns), begin);
    memory.fill(PADDING, begin + columns, begin + stride);
  }
}

function copyOut(
  memory: FloatArray,
  address: number,
  rowBytes: number,
  columns: number,
  rows: number,
  { data, adds }: Target,
  row: number,
): void {
  const start = address / memory.BYTES_PER_ELEMENT;
  const stride = rowBytes / memory.BYTES_PER_ELEMENT;
  const isDense = stride === columns;
  const length = isDense ? rows * columns : columns;
  for (let i = 0; i < (isDense ? 1 : rows); i++) {
    const from = start + i * stride;
    const to = (row + i) * columns;
    if (!adds) {
      data.set(memory.subarray(from, from + length), to);
      continue;
    }
    for (let j = 0; j < length; j++) data[to + j]! += memory[from + j]!;
  }
}

/** A view, or all of it where that is meant: a view takes longer to make than a short row to copy. */
function part(values: FloatArray, offset: number, length: number): FloatArray {
  return length === values.length ? values : values.subarray(offset, offset + length);
}
