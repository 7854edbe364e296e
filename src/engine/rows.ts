// Runs a kernel on the rows of two matrices: in place if all matrices are in one arena, otherwise
// on copies of some rows at a time.

import type { FloatArray } from '../core/numeric.js';
import { selectedKernel } from './choice.js';
import { align } from './instance.js';
import { launch } from './launch.js';
import {
  ADDS,
  CALL,
  COLUMNS,
  DISTRIBUTIONS,
  GRADIENT,
  KEPT,
  KEPT_COUNT,
  LABEL_TABLE,
  LABELS,
  LOSS_TABLE,
  LOSSES,
  OPTION,
  OTHER_OPTION,
  PARAMETERS,
  PER_COLUMN,
  RANKS,
  SCALE,
  STANDARDIZES,
  STUDENT,
  TEACHER,
  TEACHER_COLUMNS,
  TEACHER_TEMPERATURE,
  TEMPERATURE,
  TEMPERATURE_TABLE,
  TEMPERATURES,
  UNLABELED_ROW,
  WEIGHT_TABLE,
  WEIGHTS,
} from './layout.js';
import { type RowsCall, sizeOf, widestOf, workspaceOf } from './rowsCall.js';
import { type Stage, stageOf } from './stage.js';
import type { Target } from './target.js';

/**
 * Least bytes of the student in one run of a kernel for which waking threads gains time: 256 KiB.
 */
const LARGE_BYTES = 262144;

/**
 * Limit of the bytes of a workspace and four rows: 256 MiB. JavaScript computes wider rows, because
 * a WebAssembly memory never shrinks.
 */
const MAX_BYTES = 2 ** 28;

/**
 * Runs a kernel on all rows of a call. Writes the weighted loss of each row to `losses` and the
 * derivatives to the target. A row whose loss is not finite has no derivative; JavaScript has to
 * compute it. Returns false if JavaScript has to compute all rows: a claimed target then holds
 * zeros.
 *
 * @param claim - returns the target of the gradient; left out if no gradient is wanted
 */
export function runRows(call: RowsCall, losses: Float64Array, claim?: () => Target): boolean {
  const { student, rows, columns, teacherColumns = columns } = call;
  const size = sizeOf(call);
  const bytes = workspaceOf(call) + 4 * widestOf(call);
  if (selectedKernel() === 'scalar' || bytes > MAX_BYTES) return false;
  const target = claim?.();
  const stage = stageOf(call, target);
  if (!stage) {
    if (!target?.adds) target?.data.fill(0);
    return false;
  }
  const { instance, arena, maxRows } = stage;
  const { int32, float64 } = instance;
  const memory = instance.floats(size);
  describe(stage, call, target);
  fillTables(stage, call);
  for (let first = 0; first < rows; first += maxRows) {
    const count = Math.min(maxRows, rows - first);
    const from = first * columns;
    const length = count * columns;
    if (arena) {
      moveTo(stage, first, call);
    } else {
      const { teacher, distributions } = call;
      copyIn(memory, stage.student / size, student, from, length);
      if (teacher) {
        const teacherFrom = first * teacherColumns;
        copyIn(memory, stage.teacher / size, teacher, teacherFrom, count * teacherColumns);
      }
      if (distributions) copyIn(memory, stage.distributions / size, distributions, from, length);
      if (target?.adds) copyIn(memory, stage.gradient / size, target.data, from, length);
    }
    if (call.labels) copyIn(int32, LABEL_TABLE / 4, call.labels, first, count);
    const { weights, temperatures, kept } = call;
    if (weights) copyIn(float64, WEIGHT_TABLE / 8, weights, 2 * first, 2 * count);
    if (temperatures) copyIn(float64, TEMPERATURE_TABLE / 8, temperatures, first, count);
    if (kept) copyIn(int32, stage.kept / 4, kept.indices, first * kept.count, count * kept.count);
    launch(arena, {
      kernel: call.kernel,
      size,
      run: stage.run,
      workspace: instance.workspace,
      workspaceBytes: arena?.workspaceBytes ?? 0,
      count,
      isLarge: length * size >= LARGE_BYTES,
    });
    for (let i = 0; i < count; i++) losses[first + i] = float64[LOSS_TABLE / 8 + i]!;
    if (target && !arena) copyOut(memory, stage.gradient / size, target.data, from, length);
  }
  const { perColumn } = call;
  if (perColumn) copyBack(instance.floats(perColumn.BYTES_PER_ELEMENT), stage.perColumn, perColumn);
  return true;
}

/** Fills the tables that stay the same while the kernel runs through the rows. */
function fillTables({ instance, maxRows, parameters, perColumn }: Stage, call: RowsCall): void {
  const { int32, float64 } = instance;
  const count = Math.min(maxRows, call.rows);
  if (!call.labels) int32.fill(UNLABELED_ROW, LABEL_TABLE / 4, LABEL_TABLE / 4 + count);
  if (!call.weights) {
    for (let i = 0; i < 2 * count; i++) float64[WEIGHT_TABLE / 8 + i] = 1 - (i % 2);
  }
  const table = call.perColumn;
  if (table) {
    const { BYTES_PER_ELEMENT } = table;
    instance.floats(BYTES_PER_ELEMENT).set(table, perColumn / BYTES_PER_ELEMENT);
  }
  if (!call.parameters) return;
  const size = sizeOf(call);
  const memory = instance.floats(size);
  const at = parameters / size;
  memory.fill(0, at, at + align(call.columns * size) / size); // with the padding of the last vector
  memory.set(call.parameters, at);
}

/** Writes the description of the call. */
function describe(stage: Stage, call: RowsCall, target: Target | undefined): void {
  const { int32, float64 } = stage.instance;
  const at = CALL / 4;
  int32[at + STUDENT / 4] = stage.student;
  int32[at + TEACHER / 4] = stage.teacher;
  int32[at + GRADIENT / 4] = stage.gradient;
  int32[at + LOSSES / 4] = LOSS_TABLE;
  int32[at + LABELS / 4] = LABEL_TABLE;
  int32[at + WEIGHTS / 4] = WEIGHT_TABLE;
  int32[at + DISTRIBUTIONS / 4] = stage.distributions;
  int32[at + COLUMNS / 4] = call.columns;
  int32[at + ADDS / 4] = target?.adds ? 1 : 0;
  int32[at + STANDARDIZES / 4] = call.standardizes ? 1 : 0;
  int32[at + KEPT_COUNT / 4] = call.kept?.count ?? 0;
  int32[at + KEPT / 4] = stage.kept;
  int32[at + TEACHER_COLUMNS / 4] = call.teacherColumns ?? call.columns;
  int32[at + PARAMETERS / 4] = stage.parameters;
  int32[at + RANKS / 4] = call.ranks ? 1 : 0;
  int32[at + PER_COLUMN / 4] = stage.perColumn;
  int32[at + TEMPERATURES / 4] = call.temperatures ? TEMPERATURE_TABLE : 0;
  const doubles = CALL / 8;
  float64[doubles + TEMPERATURE / 8] = call.temperature;
  float64[doubles + TEACHER_TEMPERATURE / 8] = call.teacherTemperature ?? 0;
  float64[doubles + SCALE / 8] = target ? target.scale : 0;
  float64[doubles + OPTION / 8] = call.option ?? 0;
  float64[doubles + OTHER_OPTION / 8] = call.otherOption ?? 0;
}

/** Sets the addresses of the description to the rows from `first` on. */
function moveTo(
  { instance: { int32 }, student, teacher, gradient, distributions }: Stage,
  first: number,
  call: RowsCall,
): void {
  const at = CALL / 4;
  const size = sizeOf(call);
  const offset = first * call.columns * size;
  int32[at + STUDENT / 4] = student + offset;
  int32[at + TEACHER / 4] = teacher + first * (call.teacherColumns ?? call.columns) * size;
  int32[at + GRADIENT / 4] = gradient && gradient + offset;
  int32[at + DISTRIBUTIONS / 4] = distributions && distributions + offset;
}

/**
 * Copies values into the memory. All values are copied without `subarray`, which takes longer than
 * copying a short row.
 */
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
  values: FloatArray,
  from: number,
  length: number,
): void {
  values.set(memory.subarray(at, at + length), from);
}

/** Copies a table that a kernel wrote out of the memory. */
function copyBack(memory: FloatArray, address: number, table: FloatArray): void {
  const at = address / table.BYTES_PER_ELEMENT;
  table.set(memory.subarray(at, at + table.length));
}
