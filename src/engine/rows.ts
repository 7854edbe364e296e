// Runs a kernel on the rows of two matrices: in place where all are in one arena, else on copies, a piece at a time.

import type { FloatArray } from '../core/numeric.js';
import { type ArenaMemory, arenaInstance, arenaOf } from './arenas.js';
import { selectedInstance, selectedKernel } from './choice.js';
import { align, blockBytes, type Instance, rankBytes, workspaceBytes } from './instance.js';
import {
  ADDS,
  CALL,
  COLUMNS,
  DISTRIBUTIONS,
  FIRST_ADDRESS,
  GRADIENT,
  KEPT,
  KEPT_COUNT,
  LABEL_TABLE,
  LABELS,
  LOSS_TABLE,
  LOSSES,
  MOST_ROWS,
  OPTION,
  OTHER_OPTION,
  PER_COLUMN,
  RANKS,
  SCALE,
  STANDARDIZES,
  STUDENT,
  TEACHER,
  TEACHER_COLUMNS,
  TEMPERATURE,
  WEIGHT_TABLE,
  WEIGHTS,
} from './layout.js';
import type { Target } from './target.js';
import type { Kernel, Share } from './threads.js';

/** Rows are copied in and out in pieces of about this many bytes, which stay in the cache. */
const PIECE = 65536;

/** A run of this many bytes of a matrix is worth waking threads for. */
const LARGE = 262144;

/** What a row counts: the weights of its soft and of its hard loss, and its label or a mark of the layout. */
export interface RowTables {
  readonly labels: Int32Array;
  /** Two for each row. */
  readonly weights: Float64Array;
}

/** One call of a kernel on all rows of two matrices. */
export interface RowsCall extends RowTables {
  readonly kernel: Kernel;
  readonly student: FloatArray;
  /** Left out for a kernel of the student alone. */
  readonly teacher?: FloatArray;
  readonly rows: number;
  readonly columns: number;
  /** Rows of label distributions, as long as the student. */
  readonly distributions?: FloatArray | undefined;
  readonly temperature: number;
  readonly standardizes?: boolean;
  readonly option?: number;
  readonly otherOption?: number;
  /** The classes that a sparse teacher kept: their number in a row, and row by row. */
  readonly kept?: { readonly count: number; readonly indices: Int32Array };
  /** Columns of the teacher, of a kernel that ranks the classes on both sides: compares them in descending order. */
  readonly ranked?: number;
  /** Numbers of each column, which the kernel reads or writes; the rows of the table are whole vectors. */
  readonly perColumn?: FloatArray | undefined;
}

type KernelFunction = (call: number, workspace: number, first: number, count: number) => void;

/** Where a call is computed: the addresses of the first row in the memory, and how many rows fit. */
interface Stage {
  readonly instance: Instance;
  /** The arena, where the matrices are read and written in place. */
  readonly arena: ArenaMemory | undefined;
  readonly most: number;
  readonly student: number;
  readonly teacher: number;
  readonly gradient: number;
  readonly distributions: number;
  readonly kept: number;
  readonly perColumn: number;
}

/** Rows that would take more memory than this are left to JavaScript: what the kernels reserve, they keep. */
const MOST_BYTES = 2 ** 28;

/**
 * Evaluates a kernel on the rows: writes the weighted loss of each to `losses`, and the derivatives to the target. A row
 * whose loss is not finite has no derivative: JavaScript has to look at it. Returns `false` where JavaScript has to compute
 * all rows; the target then holds zeros, if it was claimed.
 *
 * @param claim - gives the target of the gradient, where one is wanted
 */
export function runRows(call: RowsCall, losses: Float64Array, claim?: () => Target): boolean {
  const { student, rows, columns, ranked = columns, perColumn } = call;
  const size = student.BYTES_PER_ELEMENT;
  if (selectedKernel() === 'scalar' || workspaceOf(call) + 4 * widestOf(call) > MOST_BYTES)
    return false;
  const target = claim?.();
  const stage = inArena(call, target) ?? onCopies(call, target);
  if (!stage) {
    if (!target?.adds) target?.data.fill(0);
    return false;
  }
  const { instance, arena, most } = stage;
  const { int32, float64 } = instance;
  const memory = instance.floats(size);
  describe(stage, call, target);
  const table = perColumn && instance.floats(perColumn.BYTES_PER_ELEMENT);
  const tableStart = perColumn ? stage.perColumn / perColumn.BYTES_PER_ELEMENT : 0;
  if (perColumn) table!.set(perColumn, tableStart);
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first);
    const from = first * columns;
    const length = count * columns;
    if (arena) {
      moveTo(stage, first, call);
    } else {
      const { teacher, distributions } = call;
      copyIn(memory, stage.student / size, student, from, length);
      if (teacher) copyIn(memory, stage.teacher / size, teacher, first * ranked, count * ranked);
      if (distributions) copyIn(memory, stage.distributions / size, distributions, from, length);
    }
    copyIn(int32, LABEL_TABLE / 4, call.labels, first, count);
    copyIn(float64, WEIGHT_TABLE / 8, call.weights, 2 * first, 2 * count);
    const { kept } = call;
    if (kept) copyIn(int32, stage.kept / 4, kept.indices, first * kept.count, count * kept.count);
    launch(stage, call, count);
    for (let i = 0; i < count; i++) losses[first + i] = float64[LOSS_TABLE / 8 + i]!;
    if (target && !arena) copyOut(memory, stage.gradient / size, target, from, length);
  }
  if (perColumn) perColumn.set(table!.subarray(tableStart, tableStart + perColumn.length));
  return true;
}

/** Writes the description of the call. */
function describe(
  {
    instance: { int32, float64 },
    student,
    teacher,
    gradient,
    distributions,
    kept,
    perColumn,
  }: Stage,
  call: RowsCall,
  target: Target | undefined,
): void {
  const at = CALL / 4;
  int32[at + STUDENT / 4] = student;
  int32[at + TEACHER / 4] = teacher;
  int32[at + GRADIENT / 4] = gradient;
  int32[at + LOSSES / 4] = LOSS_TABLE;
  int32[at + LABELS / 4] = LABEL_TABLE;
  int32[at + WEIGHTS / 4] = WEIGHT_TABLE;
  int32[at + DISTRIBUTIONS / 4] = distributions;
  int32[at + COLUMNS / 4] = call.columns;
  int32[at + ADDS / 4] = target?.adds && target.data.buffer === int32.buffer ? 1 : 0;
  int32[at + STANDARDIZES / 4] = call.standardizes ? 1 : 0;
  int32[at + KEPT_COUNT / 4] = call.kept?.count ?? 0;
  int32[at + KEPT / 4] = kept;
  int32[at + TEACHER_COLUMNS / 4] = call.ranked ?? call.columns;
  int32[at + RANKS / 4] = call.ranked === undefined ? 0 : 1;
  int32[at + PER_COLUMN / 4] = perColumn;
  const doubles = CALL / 8;
  float64[doubles + TEMPERATURE / 8] = call.temperature;
  float64[doubles + SCALE / 8] = target ? target.scale : 0;
  float64[doubles + OPTION / 8] = call.option ?? 0;
  float64[doubles + OTHER_OPTION / 8] = call.otherOption ?? 0;
}

/** Has the description point to the rows from `first` on. */
function moveTo(
  { instance: { int32 }, student, teacher, gradient, distributions }: Stage,
  first: number,
  { columns, ranked = columns, student: { BYTES_PER_ELEMENT: size } }: RowsCall,
): void {
  const at = CALL / 4;
  const offset = first * columns * size;
  int32[at + STUDENT / 4] = student + offset;
  int32[at + TEACHER / 4] = teacher + first * ranked * size;
  int32[at + GRADIENT / 4] = gradient && gradient + offset;
  int32[at + DISTRIBUTIONS / 4] = distributions && distributions + offset;
}

/** Runs the kernel; in equal shares on all threads where there are some and it is worth while. */
function launch({ instance, arena }: Stage, { kernel, student, columns }: RowsCall, rows: number) {
  const run = instance.exportsOf<Record<string, KernelFunction>>(kernel.binary)[kernel.name]!;
  const threads = arena?.threads;
  const parts = 1 + (threads?.count ?? 0);
  const bytes = rows * columns * student.BYTES_PER_ELEMENT;
  if (!arena || !threads || bytes < LARGE || rows < parts || threads.kernel !== selectedKernel()) {
    run(CALL, instance.workspace, 0, rows);
    return;
  }
  const bounds = Array.from({ length: parts + 1 }, (_, i) => Math.round((i * rows) / parts));
  const shares = Array.from({ length: threads.count }, (_, i): Share => {
    const first = bounds[i + 1]!;
    const workspace = arena.workspace + (i + 1) * arena.workspaceBytes;
    return { workspace, first, count: bounds[i + 2]! - first };
  });
  const own = () => run(CALL, instance.workspace, 0, bounds[1]!);
  // A thread that failed is as none: all is computed again.
  if (!threads.run(kernel, CALL, shares, own)) run(CALL, instance.workspace, 0, rows);
}

/** Bytes of the workspace of a call. */
function workspaceOf(call: RowsCall): number {
  const { standardizes, kept, ranked, perColumn } = call;
  const rowBytes = widestOf(call);
  const spare = (ranked ? rankBytes(rowBytes) : 0) + (perColumn ? blockBytes(rowBytes) : 0);
  const copies = standardizes || kept !== undefined || spare > 0 || rowBytes !== align(rowBytes);
  return workspaceBytes(rowBytes, copies) + spare;
}

/** Bytes of a row of the student or of the teacher, whose is wider. */
function widestOf({ student, columns, ranked = columns }: RowsCall): number {
  return Math.max(columns, ranked) * student.BYTES_PER_ELEMENT;
}

/** The stage of a call whose matrices are all in the memory of one arena. */
function inArena(call: RowsCall, target: Target | undefined): Stage | undefined {
  const { student, teacher = student, distributions, kept, perColumn } = call;
  if (kept || perColumn) return undefined; // which have no place in the arena
  const arrays = [student, teacher];
  if (distributions) arrays.push(distributions);
  if (target) arrays.push(target.data);
  const arena = arenaOf(arrays);
  const instance = arena && arenaInstance(arena, workspaceOf(call));
  return (
    instance && {
      instance,
      arena,
      most: MOST_ROWS,
      student: student.byteOffset,
      teacher: teacher.byteOffset,
      gradient: target?.data.byteOffset ?? 0,
      distributions: distributions?.byteOffset ?? 0,
      kept: 0,
      perColumn: 0,
    }
  );
}

/** The stage of a call whose rows are copied in and out, a piece at a time. */
function onCopies(call: RowsCall, target: Target | undefined): Stage | undefined {
  const { distributions, rows, kept, perColumn } = call;
  const instance = selectedInstance();
  if (!instance) return undefined;
  const rowBytes = widestOf(call);
  const most = Math.min(rows, Math.max(1, Math.floor(PIECE / rowBytes)), MOST_ROWS);
  const side = align(most * rowBytes);
  const start = align(FIRST_ADDRESS + workspaceOf(call));
  const end = start + 4 * side;
  const more = (kept ? 4 * most * kept.count : 0) + (perColumn?.byteLength ?? 0);
  if (!instance.reach(end + more)) return undefined;
  return {
    instance,
    arena: undefined,
    most,
    student: start,
    teacher: call.teacher ? start + side : start,
    gradient: target ? start + 2 * side : 0,
    distributions: distributions ? start + 3 * side : 0,
    kept: end,
    perColumn: perColumn ? end : 0,
  };
}

/** A view takes longer to make than a short row to copy. */
function copyIn(
  memory: FloatArray | Int32Array,
  at: number,
  values: FloatArray | Int32Array,
  from: number,
  length: number,
): void {
  const isWhole = from === 0 && length === values.length;
  memory.set(isWhole ? values : values.subarray(from, from + length), at);
}

function copyOut(
  memory: FloatArray,
  at: number,
  { data, adds }: Target,
  from: number,
  length: number,
): void {
  if (adds) {
    for (let i = 0; i < length; i++) data[from + i]! += memory[at + i]!;
  } else {
    data.set(memory.subarray(at, at + length), from);
  }
}
