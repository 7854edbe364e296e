// Rows of the response loss through the WebAssembly kernels.

import { type ArenaMemory, arenaKernel, arenaOf } from '../../engine/arenas.js';
import { selectedKernel, simdKernel } from '../../engine/choice.js';
import { copyIn, copyOut } from '../../engine/copy.js';
import {
  align,
  floats,
  LABEL_BYTES,
  MOST_ROWS,
  ROW_TABLE_BYTES,
  reserve,
  type Simd,
  workspaceBytes,
} from '../../engine/instance.js';
import type { Target } from '../../engine/target.js';
import { isShared, type Share } from '../../engine/threads.js';
import type { ResponseRows } from './response.js';

/** Rows are copied in and out in pieces of about so many bytes, which stay in the cache. */
const PIECE = 65536;

/** A run of so many bytes a matrix is worth waking threads for. */
const LARGE = 262144;

/** Rows of up to so many columns are taken side by side: what LONGEST is in assembly/shortRows.ts. */
const SHORT = 16;

/** Called with a row that the kernels leave to other means; returns its loss. */
export type TakeRow = (row: number) => number;

/** Where the kernel works on a piece of the rows. */
interface Stage {
  readonly simd: Simd;
  /** The arena, where all is in one. */
  readonly arena: ArenaMemory | undefined;
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
  const { int32, float64 } = simd;
  const memory = floats(simd, student);
  const name = `${isShort ? 'shortRows' : 'response'}${size === 8 ? 64 : 32}` as const;
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
    launch(stage, {
      name,
      rowBytes,
      width: isShort ? columns : rowBytes,
      rows: count,
      student: stage.student + skipped,
      teacher: stage.teacher + skipped,
      gradient: target ? stage.gradient + skipped : 0,
      labels: classes ? labels : 0,
      losses,
      temperature,
      temperatureFactor,
      alpha,
      scale: target ? target.scale : 0,
    });
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

/** One run of a kernel. */
interface Run {
  readonly name: 'response32' | 'response64' | 'shortRows32' | 'shortRows64';
  readonly rowBytes: number;
  readonly width: number;
  readonly rows: number;
  readonly student: number;
  readonly teacher: number;
  readonly gradient: number;
  readonly labels: number;
  readonly losses: number;
  readonly temperature: number;
  readonly temperatureFactor: number;
  readonly alpha: number;
  readonly scale: number;
}

/** Runs a kernel; in equal shares on all threads, where there are some and it is worth while. */
function launch({ simd, arena }: Stage, run: Run): void {
  const { name, rowBytes, rows } = run;
  const threads = arena?.threads;
  const parts = 1 + (threads?.count ?? 0);
  const isLarge = rows * rowBytes >= LARGE && rows >= parts;
  if (!arena || !threads || !isLarge || !isShared(name) || threads.kernel !== selectedKernel()) {
    compute(simd, run, rows);
    return;
  }
  const bounds = Array.from({ length: parts + 1 }, (_, i) => Math.round((i * rows) / parts));
  const shares = Array.from({ length: threads.count }, (_, i): Share => {
    const first = bounds[i + 1]!;
    return {
      kernel: name,
      workspace: arena.workspace + (i + 1) * workspaceBytes(arena.rowBytes),
      rowBytes: align(rowBytes),
      integers: [
        run.student + first * rowBytes,
        run.teacher + first * rowBytes,
        run.gradient && run.gradient + first * rowBytes,
        run.labels && run.labels + 4 * first,
        run.losses + 8 * first,
        bounds[i + 2]! - first,
        run.width,
      ],
      doubles: [run.temperature, run.temperatureFactor, run.alpha, run.scale],
    };
  });
  // A thread that failed is as none: all is computed again.
  if (!threads.run(shares, () => compute(simd, run, bounds[1]!))) compute(simd, run, rows);
}

/** Computes the first rows on this thread. */
function compute({ kernels }: Simd, run: Run, rows: number): void {
  kernels[run.name](
    run.student,
    run.teacher,
    run.gradient,
    run.labels,
    run.losses,
    rows,
    run.width,
    run.temperature,
    run.temperatureFactor,
    run.alpha,
    run.scale,
  );
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
  const arena = isTogether && rowBytes === columns * size ? arenaOf(buffer) : undefined;
  const inArena = arenaKernel(arena, align(rowBytes));
  if (inArena) {
    const labels = reserve(inArena, align(rowBytes), 0);
    return {
      simd: inArena,
      arena,
      inPlace: true,
      most: MOST_ROWS,
      student: student.byteOffset,
      teacher: teacher.byteOffset,
      gradient: target?.data.byteOffset ?? 0,
      labels,
      losses: labels + LABEL_BYTES,
    };
  }
  const simd = simdKernel();
  if (!simd) return undefined;
  const most = Math.min(rows.length, Math.max(1, Math.floor(PIECE / rowBytes)), MOST_ROWS);
  const side = align(most * rowBytes);
  const labels = reserve(simd, align(rowBytes), ROW_TABLE_BYTES + 3 * side);
  const start = labels + ROW_TABLE_BYTES;
  return {
    simd,
    arena: undefined,
    inPlace: false,
    most,
    student: start,
    teacher: start + side,
    gradient: start + 2 * side,
    labels,
    losses: labels + LABEL_BYTES,
  };
}
