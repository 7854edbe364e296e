// Runs a kernel on the rows of two matrices: in place where all are in one arena, else on copies, a piece at a time.

import type { FloatArray } from '../core/numeric.js';
import { type ArenaMemory, arenaInstance, arenaOf } from './arenas.js';
import { selectedInstance, selectedKernel } from './choice.js';
import { align, type Instance, workspaceBytes } from './instance.js';
import {
  ADDS,
  CALL,
  COLUMNS,
  DISTRIBUTIONS,
  FIRST_ADDRESS,
  GRADIENT,
  LABEL_TABLE,
  LABELS,
  LOSS_TABLE,
  LOSSES,
  MOST_ROWS,
  OPTION,
  OTHER_OPTION,
  PARAMETERS,
  SCALE,
  STANDARDIZES,
  STUDENT,
  TEACHER,
  TEACHER_COLUMNS,
  TEMPERATURE,
  UNLABELED_ROW,
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

/** One call of a kernel on all rows of two matrices. Where a table is left out, every row has its soft loss once. */
export interface RowsCall extends Partial<RowTables> {
  readonly kernel: Kernel;
  readonly student: FloatArray;
  readonly teacher: FloatArray;
  readonly rows: number;
  readonly columns: number;
  /** Where they are not those of the student. */
  readonly teacherColumns?: number;
  /** Rows of label distributions, as long as the student. */
  readonly distributions?: FloatArray | undefined;
  readonly temperature: number;
  readonly standardizes?: boolean;
  /** Whether the kernel works on copies of the rows. */
  readonly copies?: boolean;
  readonly option?: number;
  readonly otherOption?: number;
  /** Parameters of the loss, one for each column. */
  readonly parameters?: ArrayLike<number> | undefined;
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
  readonly parameters: number;
}

/**
 * Evaluates a kernel on the rows: writes the weighted loss of each to `losses`, and the derivatives to the target.
 * Returns `false`, and does nothing, where JavaScript has to compute.
 */
export function runRows(call: RowsCall, losses: Float64Array, target: Target | undefined): boolean {
  const { student, rows, columns, teacherColumns = columns } = call;
  const size = student.BYTES_PER_ELEMENT;
  const stage = stageOf(call, target);
  if (!stage) return false;
  const { instance, arena, most } = stage;
  const { int32, float64 } = instance;
  const memory = instance.floats(size);
  describe(stage, call, target);
  if (!call.labels)
    int32.fill(UNLABELED_ROW, LABEL_TABLE / 4, LABEL_TABLE / 4 + Math.min(most, rows));
  if (!call.weights) {
    for (let i = 0; i < 2 * Math.min(most, rows); i++) float64[WEIGHT_TABLE / 8 + i] = 1 - (i % 2);
  }
  if (call.parameters) {
    const at = stage.parameters / size;
    memory.fill(0, at, at + align(columns * size) / size); // behind a row stands nothing
    memory.set(call.parameters, at);
  }
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first);
    const from = first * columns;
    const length = count * columns;
    if (arena) {
      moveTo(stage, from * size, first * teacherColumns * size);
    } else {
      copyIn(memory, stage.student / size, student, from, length);
      const teacherFrom = first * teacherColumns;
      copyIn(memory, stage.teacher / size, call.teacher, teacherFrom, count * teacherColumns);
      const { distributions } = call;
      if (distributions) copyIn(memory, stage.distributions / size, distributions, from, length);
    }
    if (call.labels) copyIn(int32, LABEL_TABLE / 4, call.labels, first, count);
    if (call.weights) copyIn(float64, WEIGHT_TABLE / 8, call.weights, 2 * first, 2 * count);
    launch(stage, call, count);
    for (let i = 0; i < count; i++) losses[first + i] = float64[LOSS_TABLE / 8 + i]!;
    if (target && !arena) copyOut(memory, stage.gradient / size, target, from, length);
  }
  return true;
}

/** Writes the description of the call. */
function describe(
  { instance: { int32, float64 }, student, teacher, gradient, distributions, parameters }: Stage,
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
  int32[at + TEACHER_COLUMNS / 4] = call.teacherColumns ?? call.columns;
  int32[at + PARAMETERS / 4] = parameters;
  const doubles = CALL / 8;
  float64[doubles + TEMPERATURE / 8] = call.temperature;
  float64[doubles + SCALE / 8] = target ? target.scale : 0;
  float64[doubles + OPTION / 8] = call.option ?? 0;
  float64[doubles + OTHER_OPTION / 8] = call.otherOption ?? 0;
}

/** Has the description point to rows that start these many bytes behind the first rows. */
function moveTo(
  { instance: { int32 }, student, teacher, gradient, distributions }: Stage,
  offset: number,
  teacherOffset: number,
): void {
  const at = CALL / 4;
  int32[at + STUDENT / 4] = student + offset;
  int32[at + TEACHER / 4] = teacher + teacherOffset;
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

/** In place, where the matrices are in the memory of one arena; else where they are copied to. */
function stageOf(call: RowsCall, target: Target | undefined): Stage | undefined {
  const { student, teacher, distributions, rows, columns, standardizes = false } = call;
  const size = student.BYTES_PER_ELEMENT;
  const rowBytes = columns * size;
  const teacherBytes = (call.teacherColumns ?? columns) * size;
  const { copies = standardizes } = call;
  const bytes = workspaceBytes(rowBytes, copies || rowBytes !== align(rowBytes));
  // The last row of the workspace, which no kernel with parameters writes.
  const behind = bytes - align(rowBytes);
  const arrays = [student, teacher];
  if (distributions) arrays.push(distributions);
  if (target) arrays.push(target.data);
  const arena = arenaOf(arrays);
  const inPlace = arena && arenaInstance(arena, bytes);
  if (inPlace) {
    return {
      instance: inPlace,
      arena,
      most: MOST_ROWS,
      student: student.byteOffset,
      teacher: teacher.byteOffset,
      gradient: target?.data.byteOffset ?? 0,
      distributions: distributions?.byteOffset ?? 0,
      parameters: inPlace.workspace + behind,
    };
  }
  const instance = selectedInstance();
  if (!instance) return undefined;
  const longest = Math.max(rowBytes, teacherBytes);
  const most = Math.min(rows, Math.max(1, Math.floor(PIECE / longest)), MOST_ROWS);
  const side = align(most * longest);
  const start = align(FIRST_ADDRESS + bytes);
  instance.reach(start + (distributions ? 4 : 3) * side);
  return {
    instance,
    arena: undefined,
    most,
    student: start,
    teacher: start + side,
    gradient: target ? start + 2 * side : 0,
    distributions: distributions ? start + 3 * side : 0,
    parameters: instance.workspace + behind,
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
