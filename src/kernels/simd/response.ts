// Rows of the response loss through the WebAssembly kernels.

import { arenaKernel, simdKernel } from '../choice.js';
import type { ResponseRows } from '../responseLoss.js';
import type { Target } from '../target.js';
import { copyIn, copyOut } from './copy.js';
import { align, floats, MOST_ROWS, reserve, type Simd } from './instance.js';

/** Rows are copied in and out in pieces of about so many bytes, which stay in the cache. */
const PIECE = 65536;

/** Rows of up to so many columns are taken side by side. */
const SHORT = 16;

/** Called with a row that the kernels leave to other means; returns its loss. */
export type TakeRow = (row: number) => number;

/** Where the kernel works on a piece of the rows. */
interface Stage {
  readonly simd: Simd;
  /** Whether the matrices are read and written in place. */
  readonly inPlace: boolean;
  /** Rows in a piece, at most. */
  readonly most: number;
  /** Addresses; of the matrices, those of the first row in a piece, or of all rows if in place. */
  readonly student: number;
  readonly teacher: number;
  readonly gradient: number;
  readonly labels: number;
  readonly losses: number;
}

/** The sum of the losses of the rows, their gradient to the target; `undefined` where there is no such kernel. */
export function responseOfRows(
  call: ResponseRows,
  target: Target | undefined,
  takeRow: TakeRow,
): number | undefined {
  const { student, teacher, columns, rows, classes, temperature, temperatureFactor, alpha } = call;
  const size = student.BYTES_PER_ELEMENT;
  // Side by side, a teacher would be read who has no say.
  const isShort = columns <= SHORT && alpha < 1;
  const rowBytes = isShort ? columns * size : align(columns * size);
  const stage = stageOf(call, target, rowBytes);
  if (!stage) return undefined;
  const { simd, inPlace, most, labels, losses } = stage;
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
    const skipped = inPlace ? row * rowBytes : 0;
    if (!inPlace) {
      copyIn(student, row * columns, columns, count, memory, stage.student, rowBytes);
      copyIn(teacher, row * columns, columns, count, memory, stage.teacher, rowBytes);
    }
    if (classes) {
      for (let i = 0; i < count; i++) int32[labels / 4 + i] = classes[row + i]!;
    }
    kernel(
      stage.student + skipped,
      stage.teacher + skipped,
      target ? stage.gradient + skipped : 0,
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
    const copies = target && !inPlace;
    if (copies && isWhole) {
      copyOut(memory, stage.gradient, rowBytes, columns, count, target, row);
    }
    for (let i = 0; i < count; i++) {
      const loss = float64[losses / 8 + i]!;
      if (!Number.isFinite(loss)) {
        sum += takeRow(row + i);
        continue;
      }
      sum += loss;
      if (!copies || isWhole) continue;
      copyOut(memory, stage.gradient + i * rowBytes, rowBytes, columns, 1, target, row + i);
    }
    first += count;
  }
  return sum;
}

/** In place, where the matrices are in the memory of one arena; else where they are copied to. */
function stageOf(
  { student, teacher, columns, rows }: ResponseRows,
  target: Target | undefined,
  rowBytes: number,
): Stage | undefined {
  const { buffer, BYTES_PER_ELEMENT: size } = student;
  const isTogether =
    buffer === teacher.buffer && (!target || (target.data.buffer === buffer && !target.adds));
  const arena =
    isTogether && rowBytes === columns * size ? arenaKernel(buffer, align(rowBytes)) : undefined;
  if (arena) {
    const labels = reserve(arena, align(rowBytes), 0);
    return {
      simd: arena,
      inPlace: true,
      most: MOST_ROWS,
      student: student.byteOffset,
      teacher: teacher.byteOffset,
      gradient: target?.data.byteOffset ?? 0,
      labels,
      losses: labels + 4 * MOST_ROWS,
    };
  }
  const simd = simdKernel();
  if (!simd) return undefined;
  const most = Math.min(rows.length, Math.max(1, Math.floor(PIECE / rowBytes)), MOST_ROWS);
  const side = align(most * rowBytes);
  const tables = 12 * MOST_ROWS;
  const labels = reserve(simd, align(rowBytes), tables + 3 * side);
  const start = labels + tables;
  return {
    simd,
    inPlace: false,
    most,
    student: start,
    teacher: start + side,
    gradient: start + 2 * side,
    labels,
    losses: labels + 4 * MOST_ROWS,
  };
}
