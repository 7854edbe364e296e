// Places the matrices of a call in a memory: in place if all are in one arena, otherwise as copies.

import { type ArenaMemory, arenaInstance, arenaOf } from './arenas.js';
import { selectedInstance } from './choice.js';
import { align, type Instance, type RowsKernel } from './instance.js';
import { FIRST_ADDRESS, MAX_ROWS } from './layout.js';
import { parametersBehind, type RowsCall, sizeOf, widestOf, workspaceOf } from './rowsCall.js';
import type { Target } from './target.js';

/** Rows are copied in and out in pieces of about 64 KiB, which stay in the cache. */
const PIECE_BYTES = 65536;

/**
 * Memory of a call, with the address of the first row of each matrix.
 */
export interface Stage {
  readonly instance: Instance;
  readonly run: RowsKernel;
  /** The arena, if the matrices are read and written in place. */
  readonly arena: ArenaMemory | undefined;
  /** Largest number of rows of one run of the kernel. */
  readonly maxRows: number;
  readonly student: number;
  readonly teacher: number;
  readonly gradient: number;
  readonly distributions: number;
  readonly kept: number;
  readonly parameters: number;
  readonly perColumn: number;
}

/** Returns the stage of a call; undefined if JavaScript has to compute. */
export function stageOf(call: RowsCall, target: Target | undefined): Stage | undefined {
  return inArena(call, target) ?? onCopies(call, target);
}

/** Returns the stage of a call whose matrices are all in one arena. */
function inArena(call: RowsCall, target: Target | undefined): Stage | undefined {
  const { student, teacher = student, distributions, kept, perColumn } = call;
  // The arena holds neither kept classes nor tables of columns, and a float32 matrix cannot be
  // computed in doubles in place.
  if (kept || perColumn || sizeOf(call) !== student.BYTES_PER_ELEMENT) return undefined;
  const arrays = [student, teacher];
  if (distributions) arrays.push(distributions);
  if (target) arrays.push(target.data);
  const arena = arenaOf(arrays);
  const instance = arena && arenaInstance(arena, workspaceOf(call));
  const run = instance?.rowsKernel(call.kernel, sizeOf(call));
  if (!instance || !run) return undefined;
  return {
    instance,
    run,
    arena,
    maxRows: MAX_ROWS,
    student: student.byteOffset,
    teacher: teacher.byteOffset,
    gradient: target?.data.byteOffset ?? 0,
    distributions: distributions?.byteOffset ?? 0,
    kept: 0,
    parameters: call.parameters ? parametersBehind(instance.workspace, call) : 0,
    perColumn: 0,
  };
}

/** Returns the stage of a call whose rows are copied in and out, a piece at a time. */
function onCopies(call: RowsCall, target: Target | undefined): Stage | undefined {
  const { distributions, rows, kept, perColumn } = call;
  const instance = selectedInstance();
  const run = instance?.rowsKernel(call.kernel, sizeOf(call));
  if (!instance || !run) return undefined;
  const longest = widestOf(call);
  const maxRows = Math.min(rows, Math.max(1, Math.floor(PIECE_BYTES / longest)), MAX_ROWS);
  const side = align(maxRows * longest);
  const start = align(FIRST_ADDRESS + workspaceOf(call));
  const keptStart = start + 4 * side;
  const tableStart = align(keptStart + (kept ? 4 * maxRows * kept.count : 0));
  if (!instance.reach(tableStart + (perColumn?.byteLength ?? 0))) return undefined;
  return {
    instance,
    run,
    arena: undefined,
    maxRows,
    student: start,
    teacher: call.teacher ? start + side : start,
    gradient: target ? start + 2 * side : 0,
    distributions: distributions ? start + 3 * side : 0,
    kept: keptStart,
    parameters: call.parameters ? parametersBehind(instance.workspace, call) : 0,
    perColumn: perColumn ? tableStart : 0,
  };
}
